"""The part of the export dialog that shows the figure, at the size it will be read at."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.sizes import MM_PER_INCH, FigureSize
from metalab.ui.forms.marks import tint
from metalab.ui.theme import Theme

_MAT = 20
"""Room around the paper, in device-independent pixels."""

_PLAUSIBLE_DPI = (50.0, 400.0)
"""Screens that say something else do not know their size."""


class ExportPreview(QWidget):
    """The figure on a mat, at true size or as large as fits.

    Attributes:
        scale_changed: The figure is wanted at another resolution.
    """

    scale_changed = Signal()

    def __init__(self, *, fit: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = QSize()
        self._paper: FigureSize | None = None
        self._true = QToolButton(self)
        self._fit = QToolButton(self)
        self._measure = QLabel(self)
        self._picture = QLabel(self)
        self._message = QLabel(self)
        self._area = QScrollArea(self)
        self._pages = QStackedWidget(self)
        self._caption = QLabel(self)
        self._arrange()
        (self._fit if fit else self._true).setChecked(True)
        self._fit.toggled.connect(self._on_fit_toggled)

    @property
    def fit(self) -> bool:
        """Whether the figure fills the space rather than having its true size."""
        return self._fit.isChecked()

    @property
    def message(self) -> str:
        """What stands in place of the figure; "" while one is shown."""
        return self._message.text() if self._pages.currentIndex() == 1 else ""

    @property
    def image(self) -> QPixmap:
        """The figure as it is shown."""
        return self._picture.pixmap()

    @property
    def caption(self) -> str:
        """The sentences below the figure."""
        return self._caption.text()

    def set_theme(self, theme: Theme) -> None:
        """Take colours that a palette has no role for."""
        for label in (self._measure, self._caption):
            tint(label, theme.muted)
        tint(self._message, theme.text)
        tint(self._area.viewport(), theme.raised, QPalette.ColorRole.Window)
        tint(self._pages.widget(1), theme.raised, QPalette.ColorRole.Window)
'''
