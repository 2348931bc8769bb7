"""Our own icons: SVG drawings in one colour, which is taken from the theme."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from metalab.core.assets import assets_folder
from metalab.ui.style.theme import Theme

_SIZES = (16, 20)
_RATIOS = (1.0, 2.0, 3.0)
_DISABLED_ALPHA = 0.38


@cache
def _drawing(name: str) -> str:
    return (assets_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def icon_pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Return a drawing in one colour.

    Args:
        name: File name in `assets/icons`, without the ending.
        colour: "#rrggbb".
        size: Edge in device-independent pixels.
        ratio: Device pixels in one of those.
    """
    key = f"metalab/{name}/{colour}/{size}/{ratio}"
    # Qt's own cache: it is emptied before the application ends, as a dict would not be.
    known = QPixmap()
    if QPixmapCache.find(key, known):
        return known
    coloured = _drawing(name).replace("currentColor", colour)
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(coloured.encode())).render(
        painter, QRectF(0, 0, pixmap.width(), pixmap.height())
    )
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, pixmap)
    return pixmap


def _faded(pixmap: QPixmap) -> QPixmap:
    faded = QPixmap(pixmap.size())
    faded.fill(Qt.GlobalColor.transparent)
    plain = QPixmap(pixmap)
    plain.setDevicePixelRatio(1.0)
    painter = QPainter(faded)
    painter.setOpacity(_DISABLED_ALPHA)
    painter.drawPixmap(0, 0, plain)
    painter.end()
    faded.setDevicePixelRatio(pixmap.devicePixelRatio())
    return faded


def icon(name: str, colour: str) -> QIcon:
    """Return an icon, sharp at ordinary sizes on screens of 1 to 3 pixels a point."""
    made = QIcon()
    for size in _SIZES:
        for ratio in _RATIOS:
            pixmap = icon_pixmap(name, colour, size, ratio)
            made.addPixmap(pixmap, QIcon.Mode.Normal)
            made.addPixmap(_faded(pixmap), QIcon.Mode.Disabled)
    return made


def theme_icon(name: str, theme: Theme) -> QIcon:
    """Return an icon in the theme's text colour."""
    return icon(name, QColor(theme.text).name())


def app_icon() -> QIcon:
    """Return metalab's own icon."""
    return QIcon(str(assets_folder() / "metalab.svg"))
