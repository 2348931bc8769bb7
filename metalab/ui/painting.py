"""Inks, and pictures of widgets."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette
from PySide6.QtWidgets import QWidget

from metalab.ui.theme import Theme

PICTURE_RATIO = 2.0
"""Pixels of a copied picture for each point of the screen."""

_PICTURE_MARGIN = 12

_SHARE_OF_K = 0.6


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


def ramp_ink(step: int, trained: int, last: int) -> Ink:
    """Return the ink of an inner step: a ramp with most of it up to training's K.

    Args:
        step: From 0 to `last`.
        trained: K.
        last: K', at least K.
    """
    share_of_k = _SHARE_OF_K if last > trained else 1.0
    if step <= trained:
        share = share_of_k * step / max(trained, 1)
    else:
        share = share_of_k + (1 - share_of_k) * (step - trained) / (last - trained)
    return Ink(role="ramp_end", under="ramp_start", share=share)


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
    parts: Sequence[QWidget], *, title: str, theme: Theme, ratio: float = PICTURE_RATIO
) -> QImage:
    """Return visible widgets one below the other, under a title, as a sharp picture.

    Args:
        parts: From top to bottom; hidden ones are left out.
        title: One line.
        theme: For title and background.
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
    image.fill(QColor(theme.surface))
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(theme.text))
    top = _PICTURE_MARGIN
    frame = QRectF(_PICTURE_MARGIN, top, size.width(), line)
    painter.drawText(frame, Qt.AlignmentFlag.AlignTop, title)
    top += line
    for part in shown:
        part.render(painter, QPoint(_PICTURE_MARGIN, top))
        top += part.height()
    painter.end()
    return image
