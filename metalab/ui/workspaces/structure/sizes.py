"""How much room the pictures of the Structure workspace have, and their texts."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

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
