"""Python's cycle collection, on the window's thread only.

Python collects cycles in whichever thread happens to allocate. In the run's thread that
would destroy Qt objects (pens, pixmaps, painters in a cycle) beside the window painting
with them, which crashes the process now and then. So automatic collection is off while a
window is open, and the window's thread collects between two frames.
"""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 250


class CycleCollector(QObject):
    """Collects cycles by a timer, as often as Python itself would have.

    Thread: the window's thread.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect)
        self._was_enabled = False

    @property
    def running(self) -> bool:
        """Whether collection is left to the window's thread."""
        return self._timer.isActive()

    def start(self) -> None:
        """Take collection over."""
        if not self.running:
            self._was_enabled = gc.isenabled()
            gc.disable()
            # While there is little to go through: `settle` keeps what is left for ever.
            gc.collect()
            self._timer.start()

    def stop(self) -> None:
        """Give collection back to Python. May be called twice."""
        if self.running:
            self._timer.stop()
            if self._was_enabled:
                gc.enable()

    def collect(self) -> None:
        """Collect the oldest generation that is due, with the younger ones."""
        due = [
            generation
            for generation, (count, threshold) in enumerate(
                zip(gc.get_count(), gc.get_threshold(), strict=True)
            )
            if count > threshold > 0
        ]
        if due:
            gc.collect(due[-1])

    def settle(self) -> None:
        """Leave what has been loaded out of later collections.

        Called once after the engine is imported: torch alone is a million objects, and
        going through them, were it only once, would stop the picture for a fifth of a
        second. Importing leaves next to no cycles.
        """
        gc.freeze()
