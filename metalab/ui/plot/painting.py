"""Inks, and pictures of widgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QPainter,
    QPalette,
    QPolygonF,
    QRegion,
)
from PySide6.QtWidgets import QWidget
from shiboken6 import Shiboken

from metalab.engine.events import Array
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme

PICTURE_RATIO = 2.0
"""Pixels of a copied picture for each point of the screen."""

_PICTURE_MARGIN = 12

_SHARE_OF_START, _SHARE_OF_K = 0.12, 0.6
_FAR = 1e5
_EDGE = 2


def mixed(under: str, over: str, share: float) -> QColor:
    """Return `share` of one colour over another: opaque, hence fast to paint."""
    a, b = QColor(under), QColor(over)
    return QColor(
        round(a.red() + (b.red() - a.red()) * share),
        round(a.green() + (b.green() - a.green()) * share),
        round(a.blue() + (b.blue() - a.blue()) * share),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """A colour by the role it plays, whatever the theme.

    Attributes:
        role: A colour of `Theme`.
        share: How much of it; the rest is `under`.
        under: A colour of `Theme`.
    """

    role: str
    share: float = 1.0
    under: str = "surface"

    def colour(self, theme: Theme) -> QColor:
        """Return the colour in a theme."""
        return mixed(getattr(theme, self.under), getattr(theme, self.role), self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedInk(Ink):
    """A colour that is the same in every theme: of a series among many.

    Attributes:
        value: "#rrggbb", readable on dark and light.
    """

    role: str = "text"
    value: str

    def colour(self, theme: Theme) -> QColor:
        """Return the colour."""
        del theme
        return QColor(self.value)


def ramp_ink(step: int, trained: int, last: int) -> Ink:
    """Return the ink of an inner step: a ramp with most of it up to training's K.

    Args:
        step: From 0 to `last`.
        trained: K.
        last: K', at least K.
    """
    of_k = _SHARE_OF_K if last > trained else 1.0
    if step <= trained:
        share = _SHARE_OF_START + (of_k - _SHARE_OF_START) * step / max(trained, 1)
    else:
        share = of_k + (1 - of_k) * (step - trained) / (last - trained)
    return Ink(role="ramp_end", under="ramp_start", share=share)


_MARKS = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
    "diamond": ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
}
"""Corners, of about the area of a disc with radius 1."""


def draw_mark(painter: QPainter, mark: str, place: QPointF, radius: float) -> None:
    """Draw a mark with the painter's pen and brush.

    Args:
        painter: Its coordinates are pixels.
        mark: "disc", "square", "triangle" or "diamond".
        place: Of its middle.
        radius: In pixels.
    """
    if mark == "disc":
        painter.drawEllipse(place, radius, radius)
        return
    corners = [place + QPointF(radius * x, radius * y) for x, y in _MARKS[mark]]
    painter.drawPolygon(QPolygonF(corners))


def draw_segments(painter: QPainter, x: Array, y: Array) -> None:
    """Draw a line through points, piece by piece; a y that is not finite is a gap.

    In pixels and piece by piece, a wide antialiased line is ten times as fast as a path
    on a painter that is scaled.

    Args:
        painter: Its coordinates are pixels.
        x: Finite, [point].
        y: [point].
    """
    if len(x) < 2:
        return
    # What lies far outside cannot be seen, and would be too much for Qt's rasteriser.
    known = np.isfinite(y)
    points = np.stack([x, y], axis=1, dtype=np.float64, casting="same_kind")
    np.clip(points, -_FAR, _FAR, out=points)
    pieces = np.concatenate([points[:-1], points[1:]], axis=1)
    if not known.all():
        pieces = pieces[known[:-1] & known[1:]]
    if len(pieces):
        # The array is as QLineF lie in memory, and lives until Qt has read it.
        first = cast("QLineF", Shiboken.wrapInstance(pieces.ctypes.data, QLineF))
        painter.drawLines(first, len(pieces))


def tint(
    widget: QWidget,
    colour: str,
    role: QPalette.ColorRole = QPalette.ColorRole.WindowText,
) -> None:
    """Give one role of a widget's palette a colour."""
    palette = widget.palette()
    palette.setColor(role, QColor(colour))
    widget.setPalette(palette)


def picture_of(
    parts: Sequence[QWidget], *, title: str, ratio: float = PICTURE_RATIO
) -> QImage:
    """Return visible widgets one below the other, under a title, as a sharp picture.

    Args:
        parts: From top to bottom; hidden ones are left out.
        title: One line.
        ratio: Pixels for each point.
    """
    shown = [part for part in parts if not part.isHidden()]
    font = QFont(shown[0].font())
    font.setBold(True)
    line = 2 * shown[0].fontMetrics().height()
    size = QSize(
        max(part.width() for part in shown) + 2 * _PICTURE_MARGIN,
        sum(part.height() for part in shown) + line + 2 * _PICTURE_MARGIN,
    )
    image = QImage(size * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    theme = current_theme()
    image.fill(QColor(theme.surface))
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(theme.text))
    top = _PICTURE_MARGIN
    frame = QRectF(_PICTURE_MARGIN, top, size.width(), line)
    painter.drawText(frame, Qt.AlignmentFlag.AlignTop, title)
    top += line
    for part in shown:
        # Without the edge, where a part may show that it has the focus.
        inside = part.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        left = (size.width() - part.width()) // 2
        place = QPoint(left + _EDGE, top + _EDGE)
        part.render(painter, place, QRegion(inside))
        top += part.height()
    painter.end()
    return image
