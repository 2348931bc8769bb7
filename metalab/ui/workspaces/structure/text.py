"""Texts with lowered and raised signs, as formulas have them."""

import re
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

_SMALL = 0.74
_LOWERED, _RAISED = 0.2, -0.38
"""Shift of a small sign, in heights of the font."""

_PIECES = re.compile(r"([_^])(\{[^}]*\}|[^\s_^])")
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    shift: float


def _pieces(text: str) -> list[_Piece]:
    """Split a text where signs are lowered ("_") or raised ("^")."""
    pieces: list[_Piece] = []
    end = 0
    for match in _PIECES.finditer(text):
        pieces.append(_Piece(text[end : match.start()], 0.0))
        shift = _LOWERED if match[1] == "_" else _RAISED
        pieces.append(_Piece(match[2].strip("{}"), shift))
        end = match.end()
    pieces.append(_Piece(text[end:], 0.0))
    return [piece for piece in pieces if piece.text]


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(_SMALL * font.pointSizeF())
    return small


def text_width(text: str, font: QFont) -> float:
    """Return how wide a text is."""
    full, small = QFontMetricsF(font), QFontMetricsF(_small(font))
    return sum(
        (small if piece.shift else full).horizontalAdvance(piece.text)
        for piece in _pieces(text)
    )


def plain_text(text: str) -> str:
    """Return a text for screen readers, without the marks of sub- and superscripts."""
    return _PIECES.sub(_spoken, text)


def _spoken(match: "re.Match[str]") -> str:
    sign = match[2].strip("{}")
    return f"_{sign}" if match[1] == "_" else f"^{sign}"


def fitted(text: str, font: QFont, width: float) -> str:
    """Return a text, cut with an ellipsis where it is wider than there is room."""
    if text_width(text, font) <= width:
        return text
    kept = text
    while kept and text_width(kept.rstrip() + ELLIPSIS, font) > width:
        # A mark goes together with the sign that it lowers or raises.
        kept = re.sub(r"[_^](\{[^}]*\}|[^\s_^])$|.$", "", kept)
    return kept.rstrip() + ELLIPSIS if kept else ""


def draw_text(
    painter: QPainter,
    frame: QRectF,
    text: str,
    *,
    font: QFont,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Draw one line, centred from top to bottom; what does not fit is cut."""
    text = fitted(text, font, frame.width())
    width = text_width(text, font)
    x = frame.left()
    if align == Qt.AlignmentFlag.AlignHCenter:
        x += (frame.width() - width) / 2
    elif align == Qt.AlignmentFlag.AlignRight:
        x += frame.width() - width
    metrics = QFontMetricsF(font)
    baseline = frame.center().y() + (metrics.ascent() - metrics.descent()) / 2
    small = _small(font)
    for piece in _pieces(text):
        used = small if piece.shift else font
        painter.setFont(used)
        shift = piece.shift * metrics.height()
        painter.drawText(QPointF(x, baseline + shift), piece.text)
        x += QFontMetricsF(used).horizontalAdvance(piece.text)
