"""Requests from the Landscape page to its background service, and the answers."""

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from metalab.runs.services.landscape import LandscapeService
from metalab.ui.session.thread_signal import ThreadSignal

if TYPE_CHECKING:
    from metalab.analysis.landscape_request import LandscapeRequest

SETTLE_MS = 300
"""How long nothing must change before a landscape is computed."""

DRAW_SECONDS = 0.05
"""A picture that is not finished stays for so long: batches of points come faster."""

_REST = 2.0
"""A run that is followed is left alone so many times as long as a landscape took."""


class LandscapeAsking(QObject):
    """Asks for landscapes: at once for what a person chose, patiently behind a run.

    Attributes:
        arrived: More of a landscape is known: a `Landscape`.
        failed: Why there is none: an error.
        busy_changed: Whether something that a person waits for is being computed, or is
            about to be.
    """

    arrived = Signal(object)
    failed = Signal(object)
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answered = ThreadSignal(self, self._look)
        self._service = self._answered.add_service(LandscapeService)
        self._wanted: LandscapeRequest | None = None
        self._computing: LandscapeRequest | None = None
        self._patient = False
        self._begun = self._took = self._drawn = 0.0
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether a person waits for something."""
        return self.waiting and not self._patient

    @property
    def waiting(self) -> bool:
        """Whether anything is being computed, or is about to be."""
        return self._wanted is not None or self._computing is not None

    def ask(self, asked: "LandscapeRequest") -> None:
        """Ask for what a person has chosen, once nothing changes any more."""
        self._wanted, self._patient = asked, False
        self._service.cancel()
        self._computing = None
        self._settle.start(SETTLE_MS)
        self.busy_changed.emit()

    def follow(self, asked: "LandscapeRequest") -> None:
        """Ask for newer meta-parameters, after what is being computed, and a rest."""
        if not self.waiting:
            self._patient = True
        self._wanted = asked
        if self._computing is None and not self._settle.isActive():
            self._rest()

    def cancel(self) -> None:
        """Forget what was asked; what is known of it stays."""
        self._settle.stop()
        self._service.cancel()
        self._wanted = self._computing = None
        self.busy_changed.emit()

    def shut_down(self) -> None:
        """Have thread and timer end; returns at once."""
        self._settle.stop()
        self._wanted = self._computing = None
        self._answered.close()

    def join(self) -> None:
        """Wait for the thread, after `shut_down`."""
        self._answered.join()

    def _rest(self) -> None:
        self._settle.start(max(SETTLE_MS, round(1000 * _REST * self._took)))

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, None
        assert wanted is not None, "the timer runs for a question"
        self._computing, self._begun = wanted, time.perf_counter()
        self._service.request(wanted)

    def _look(self) -> None:
        """Tell of what is new, and go on to the next question at the end."""
        try:
            done = self._service.take()
        except Exception as error:  # noqa: BLE001 - shown in the workspace
            self._end()
            self.failed.emit(error)
            return
        if done is not None:
            self._end()
            self.arrived.emit(done)
        elif self._computing is not None and not self._patient:
            # Behind a run, a coarse picture would only flicker.
            self._look_at_progress()

    def _look_at_progress(self) -> None:
        found, now = self._service.progress(), time.perf_counter()
        if found is not None and now - self._drawn >= DRAW_SECONDS:
            self._drawn = now
            self.arrived.emit(found)

    def _end(self) -> None:
        self._computing = None
        self._took = time.perf_counter() - self._begun
        if self._wanted is not None:
            self._patient = True
            self._rest()
        self.busy_changed.emit()
