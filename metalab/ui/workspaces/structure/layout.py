"""Places of the parts in the picture of a bilevel problem, as Qt has them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from metalab.figures.structure import layout as plain
from metalab.figures.structure.model import Arrow, PartKey

if TYPE_CHECKING:
    from collections.abc import Mapping

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
