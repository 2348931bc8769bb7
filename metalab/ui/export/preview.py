"""The part of the export dialog that shows the figure, at the size it will be read at."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.formats import DPI_RANGE
from metalab.figures.sizes import FigureSize
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint

_MAT = 20
"""Room around the paper, in device-independent pixels."""

_PLAUSIBLE_DPI = (50.0, 400.0)
"""A screen that says anything else does not know its size."""

_CAPTION_LINES = 3

_PICTURE, _MESSAGE = 0, 1
"""Pages."""


class _Pages(QStackedWidget):
    """The figure, or what is said in its place.

    Attributes:
        resized: There is another amount of room.
    """

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that there is another amount of room."""
        super().resizeEvent(event)
        self.resized.emit()


class ExportPreview(QWidget):
    """The figure on a mat, at true size or as large as fits.

    Attributes:
        scale_changed: The figure is wanted at another resolution.
    """

    scale_changed = Signal()

    def __init__(
        self, *, paper: FigureSize, fit: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._paper = paper
        self._measure = QLabel(self)
        self._fit = QCheckBox("Fit to the &window", self)
        self._picture = QLabel(self)
        self._area = QScrollArea(self)
        self._message = QLabel(self)
        self._pages = _Pages(self)
        self._caption = QLabel(self)
        self._arrange()
        self._fit.setChecked(fit)
        self._show_measure()
        self._fit.toggled.connect(self._on_scale_changed)
        self._pages.resized.connect(self._on_resized)
        follow_theme(self._take_theme)

    @property
    def fit(self) -> bool:
        """Whether the figure fills the space rather than having its true size."""
        return self._fit.isChecked()

    @property
    def measure(self) -> str:
        """The size of the figure in words."""
        return self._measure.text()

    @property
    def message(self) -> str:
        """What stands in place of the figure; "" while one is shown."""
        return self._message.text() if self._pages.currentIndex() == _MESSAGE else ""

    @property
    def picture(self) -> QPixmap:
        """The figure as it is shown."""
        return self._picture.pixmap()

    @property
    def caption(self) -> str:
        """The sentences below the figure."""
        return self._caption.text()

    @property
    def dpi(self) -> float:
        """Device pixels of this screen in an inch of the figure."""
        low, high = DPI_RANGE
        wanted = self._scale() * self._true_dpi() * self.devicePixelRatioF()
        return min(max(wanted, low), high)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._measure, theme.muted)
        tint(self._caption, theme.muted)
        tint(self._message, theme.muted)
        for mat in (self._area.viewport(), self._message):
            tint(mat, theme.raised, QPalette.ColorRole.Window)

    def set_paper(self, paper: FigureSize) -> None:
        """Say how large the figure is."""
        self._paper = paper
        self._show_measure()

    def show_figure(self, image: QImage, caption: str) -> None:
        """Show the figure, drawn at `dpi`, and what could stand below it."""
        image.setDevicePixelRatio(self.devicePixelRatioF())
        self._picture.setPixmap(QPixmap.fromImage(image))
        self._picture.setFixedSize(
            self._picture.pixmap().deviceIndependentSize().toSize()
        )
        self._picture.setAccessibleDescription(caption)
        self._caption.setText(caption)
        self._pages.setCurrentIndex(_PICTURE)

    def show_message(self, text: str) -> None:
        """Show a text in place of the figure."""
        self._message.setText(text)
        self._caption.clear()
        self._pages.setCurrentIndex(_MESSAGE)

    def _true_dpi(self) -> float:
        """Return the device-independent pixels in an inch of the screen's glass."""
        screen = self.screen()
        low, high = _PLAUSIBLE_DPI
        measured = screen.physicalDotsPerInch()
        return measured if low <= measured <= high else screen.logicalDotsPerInch()

    def _true_size(self) -> QSize:
        width, height = self._paper.inches
        return QSize(round(width * self._true_dpi()), round(height * self._true_dpi()))

    def _scale(self) -> float:
        """Return how many times its true size the figure is shown at."""
        if not self.fit:
            return 1.0
        room = self._pages.size()
        true = self._true_size()
        across = (room.width() - 2 * _MAT) / true.width()
        down = (room.height() - 2 * _MAT) / true.height()
        return max(min(across, down), 0.0)

    def _show_measure(self) -> None:
        measure = f"{self._paper.width:g} × {self._paper.height:.0f} mm"
        if self.fit:
            measure += f", shown at {100 * self._scale():.0f} %"
        self._measure.setText(measure)

    def _on_scale_changed(self) -> None:
        self._show_measure()
        self.scale_changed.emit()

    def _on_resized(self) -> None:
        if self.fit:
            self._on_scale_changed()

    def _arrange(self) -> None:
        self._fit.setToolTip("Else the figure is as large on this screen as on paper")
        header = QHBoxLayout()
        header.addWidget(self._measure)
        header.addStretch(1)
        header.addWidget(self._fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(header)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._caption)
        self._arrange_pages()

    def _arrange_pages(self) -> None:
        self._picture.setAccessibleName("Preview of the figure")
        mat = QWidget(self)
        around = QVBoxLayout(mat)
        around.setContentsMargins(_MAT, _MAT, _MAT, _MAT)
        around.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignCenter)
        self._area.setWidget(mat)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setAccessibleName("Preview of the figure")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setAutoFillBackground(True)
        self._message.setMargin(_MAT)
        for label in (self._message, self._caption):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._caption.setAlignment(Qt.AlignmentFlag.AlignTop)
        # Room for a long one, so that the figure does not jump.
        lines = _CAPTION_LINES * self.fontMetrics().lineSpacing()
        self._caption.setMinimumHeight(lines)
        self._caption.setAccessibleName("Caption")
        self._pages.addWidget(self._area)
        self._pages.addWidget(self._message)
