"""The part of the animation dialog that shows one frame, and goes from one to another."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.sizes import SIZES
from metalab.ui.export.animation.work import FrameShown
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint

_MAT = 20
"""Room around the frame, in device-independent pixels."""

_LEAST_ROOM = QSize(480, 360)
_LEAST_DPI = 30.0

_PICTURE, _MESSAGE = 0, 1
"""Pages."""


class AnimationPreview(QWidget):
    """A frame on a mat, as large as fits, over a slider.

    Attributes:
        frame_chosen: Another frame is wanted.
        resized: The frame is wanted at another resolution.
    """

    frame_chosen = Signal()
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a frame."""
        super().__init__(parent)
        self._picture = QLabel(self)
        self._message = QLabel(self)
        self._pages = QStackedWidget(self)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._where = QLabel(self)
        self._arrange()
        self._slider.valueChanged.connect(self.frame_chosen)
        follow_theme(self._take_theme)

    @property
    def index(self) -> int:
        """Which frame is wanted."""
        return self._slider.value()

    @property
    def where(self) -> str:
        """Where in time the frame is that is shown."""
        return self._where.text()

    @property
    def message(self) -> str:
        """What stands in place of the frame; "" while one is shown."""
        return self._message.text() if self._pages.currentIndex() == _MESSAGE else ""

    @property
    def picture(self) -> QPixmap:
        """The frame as it is shown."""
        return self._picture.pixmap()

    def dpi(self, size: str) -> float:
        """Return the device pixels in an inch of a frame that fits.

        Args:
            size: Name of its size preset.
        """
        width, height = SIZES[size].inches
        room = self._pages.size().expandedTo(_LEAST_ROOM)
        across = (room.width() - 2 * _MAT) / width
        down = (room.height() - 2 * _MAT) / height
        return max(min(across, down) * self.devicePixelRatioF(), _LEAST_DPI)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._message, theme.muted)
        tint(self._where, theme.muted)
        for mat in (self._picture, self._message):
            tint(mat, theme.raised, QPalette.ColorRole.Window)

    def set_count(self, count: int) -> None:
        """Say how many frames there are; the wanted one stays if it can."""
        self._slider.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self._slider.setRange(0, max(0, count - 1))
        self._slider.blockSignals(False)  # noqa: FBT003 - Qt's signature
        self._slider.setEnabled(count > 1)

    def set_movable(self, *, movable: bool) -> None:
        """Let another frame be chosen, or not."""
        self._slider.setEnabled(movable and self._slider.maximum() > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that there is another amount of room."""
        super().resizeEvent(event)
        if self.isVisible():
            self.resized.emit()

    def show_frame(self, frame: FrameShown) -> None:
        """Show a frame."""
        image = QImage(
            frame.content,
            frame.width,
            frame.height,
            3 * frame.width,
            QImage.Format.Format_RGB888,
        )
        # The pixmap is a copy: the bytes may go.
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self._picture.setPixmap(pixmap)
        self._where.setText(frame.text)
        self._picture.setAccessibleDescription(frame.text)
        self._pages.setCurrentIndex(_PICTURE)

    def show_message(self, text: str) -> None:
        """Show a text in place of the frame."""
        self._message.setText(text)
        self._where.clear()
        self._pages.setCurrentIndex(_MESSAGE)

    def _arrange(self) -> None:
        self._picture.setAccessibleName("Preview of a frame")
        self._slider.setAccessibleName("Frame")
        self._slider.setEnabled(False)
        self._where.setAccessibleName("Step of the frame")
        # The slider keeps its length while the numbers change.
        widest = "Outer step {}".format("1,000,000")
        self._where.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest))
        for page in (self._picture, self._message):
            page.setAlignment(Qt.AlignmentFlag.AlignCenter)
            page.setAutoFillBackground(True)
            self._pages.addWidget(page)
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setMargin(_MAT)
        self._picture.setMinimumSize(_LEAST_ROOM)
        line = QHBoxLayout()
        line.addWidget(self._slider, 1)
        line.addWidget(self._where)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._pages, 1)
        layout.addLayout(line)
