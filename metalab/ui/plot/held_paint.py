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
        self._held = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(HELD_MS)
        self._timer.timeout.connect(self._on_timeout)
        widget.installEventFilter(self)

    @property
    def held(self) -> bool:
        """Whether the paint is held back."""
        return self._held

    @property
    def due(self) -> bool:
        """Whether the paint is held back, or about to come; for `HELD_MS` at most."""
        return self._timer.isActive()

    def begin(self) -> bool:
        """Hold the paint back, and return whether it is held.

        It is held for no longer if it is held already, and not at all if it is about to
        come: moves that follow fast would put it off again and again.
        """
        if not self._timer.isActive():
            self._held = True
            self._timer.start()
            self._widget.setUpdatesEnabled(False)
        return self._held

    def end(self) -> None:
        """Let everything be painted."""
        if self._held:
            self._held = False
            self._widget.setUpdatesEnabled(True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See when the widget is painted."""
        del watched
        if event.type() == QEvent.Type.Paint and not self._held:
            self._timer.stop()
        return False

    def _on_timeout(self) -> None:
        if self._held:
            self.end()
            self.expired.emit()
