"""Places of the parts in the picture of a bilevel problem, as Qt has them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from metalab.figures.structure import layout as plain
from metalab.figures.structure.model import Arrow, PartKey

if TYPE_CHECKING:
    from collections.abc import Mapping


_LINES_ACROSS, _LINES_DOWN = 60.0, 34.5
"""Heights of a line for which there is room at the application's size of texts."""

_LEAST_POINTS, _MOST_SCALE = 7.2, 1.5
_GAP = 12.0
_BESIDE_FROM = 1080
"""Width from which there is room beside the picture; below, the other stands below."""


def areas(
    whole: QRectF, line: float, *, compared: bool
) -> tuple[QRectF, QRectF | None]:
    """Return where the picture is, and where that of supervised training is.

    Args:
        whole: All the room there is.
        line: Height of a line of text.
        compared: Whether there are two pictures.
    """
    if not compared:
        return whole, None
    if whole.width() >= _BESIDE_FROM:
        width = 0.2 * whole.width()
        beside = whole.adjusted(whole.width() - width, 0, 0, 0)
        return whole.adjusted(0, 0, -width - _GAP, 0), beside
    height = min(7.0 * line, 0.23 * whole.height())
    below = whole.adjusted(0, whole.height() - height, 0, 0)
    return whole.adjusted(0, 0, 0, -height - _GAP), below


def scaled_font(base: QFont, area: QRectF) -> QFont:
    """Return the font of the texts: it grows and shrinks with the picture."""
    line = QFontMetricsF(base).height()
    scale = min(
        area.width() / (_LINES_ACROSS * line), area.height() / (_LINES_DOWN * line)
    )
    font = QFont(base)
    points = min(scale, _MOST_SCALE) * font.pointSizeF()
    font.setPointSizeF(max(points, _LEAST_POINTS))
    return font


Points = tuple[QPointF, ...]


class DiagramLayout:
    """Rectangles and lines in the widget's coordinates.

    Attributes:
        line: Height of a line of text.
        places: Of each part.
    """

    def __init__(self, layout: plain.DiagramLayout) -> None:
        self._plain = layout
        self.line = layout.line
        self.places: Mapping[PartKey, QRectF] = {
            key: _rectangle(box) for key, box in layout.places.items()
        }

    def title_of(self, key: PartKey) -> QRectF:
        """Return where the title of a frame stands."""
        return _rectangle(self._plain.title_of(key))

    def part_at(self, point: QPointF) -> PartKey | None:
        """Return the innermost part at a point."""
        return self._plain.part_at(plain.Point(point.x(), point.y()))

    def points(self, arrow: Arrow) -> Points:
        """Return the corners of an arrow, from its source to its head."""
        return _points(self._plain.points(arrow))

    def again(self) -> Points:
        """Return the loop below the inner step: the step is taken again."""
        return _points(self._plain.again())


def diagram_layout(
    area: QRectF, line: float, parts: frozenset[PartKey]
) -> DiagramLayout:
    """Return where everything is; see `figures.structure.layout.diagram_layout`."""
    box = plain.Box(area.left(), area.top(), area.width(), area.height())
    return DiagramLayout(plain.diagram_layout(box, line, parts))


def _rectangle(box: plain.Box) -> QRectF:
    return QRectF(box.left, box.top, box.width, box.height)


def _points(points: plain.Points) -> Points:
    return tuple(QPointF(point.x, point.y) for point in points)
