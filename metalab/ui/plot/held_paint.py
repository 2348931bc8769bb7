"""The paint of a plot, held back so that a point and its curves come in one frame."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

HELD_MS = 30
"""About a frame: most curves are there by then. Those that take longer come after the
point, which goes on following the pointer."""


class HeldPaint(QObject):
    """Holds the paint of a widget until what belongs to it is there, or time is up.

    Attributes:
        expired: Time was up; what is there is painted.
    """

    expired = Signal()

    def __init__(self, widget: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._widget = widget
        self._painted = True
        widget.installEventFilter(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(HELD_MS)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def active(self) -> bool:
        """Whether the paint is held back."""
        return self._timer.isActive()

    def begin(self) -> None:
        """Hold the paint back; one that is held already is not held for longer.

        Nor is one that is due: moves that come fast would put it off again and again.
        """
        if self._painted and not self._timer.isActive():
            self._timer.start()
            self._widget.setUpdatesEnabled(False)

    def end(self) -> None:
        """Let everything be painted."""
        if self._timer.isActive():
            self._timer.stop()
            self._let()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See when the widget is painted."""
        del watched
        if event.type() == QEvent.Type.Paint:
            self._painted = True
        return False

    def _let(self) -> None:
        self._painted = not self._widget.isVisible()
        self._widget.setUpdatesEnabled(True)

    def _on_timeout(self) -> None:
        self._let()
        self.expired.emit()
