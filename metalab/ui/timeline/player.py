"""Going through outer or inner time by itself."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

OUTER, INNER = "outer", "inner"
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0)
OUTER_SECONDS = 12.0
"""For all of a run, at ordinary speed."""

INNER_RATE = 4.0
"""Inner steps a second, at ordinary speed."""

_TICK_MS = 33


class Player(QObject):
    """Says where the playhead should be by now.

    Attributes:
        advanced: "outer" or "inner", and the step there.
        stopped: It has come to the end.
    """

    advanced = Signal(str, int)
    stopped = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._kind = ""
        self._at = 0.0
        self._limits = (0, 0)
        self._told = -1
        self._then = 0.0
        self.speed = 1.0
        self.loop = False
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def kind(self) -> str:
        """What is played: "outer", "inner", or "" for nothing."""
        return self._kind

    def play(self, kind: str, at: int, limits: tuple[int, int]) -> None:
        """Begin at a step; at the end of time, from the beginning.

        Args:
            kind: "outer" or "inner".
            at: Where the playhead stands.
            limits: First and last step.
        """
        first, last = limits
        self._kind, self._limits = kind, limits
        self._at = float(first if at >= last else at)
        self._told = -1
        self._then = self._clock()
        self._timer.start()

    def set_last(self, kind: str, last: int) -> None:
        """Play up to another step, if that time is played."""
        if kind == self._kind:
            self._limits = (self._limits[0], last)

    def stop(self) -> None:
        """Stand still."""
        if self._kind:
            self._kind = ""
            self._timer.stop()
            self.stopped.emit()

    def tick(self) -> None:
        """Go on by as much as time has passed."""
        now = self._clock()
        passed, self._then = now - self._then, now
        first, last = self._limits
        rate = INNER_RATE if self._kind == INNER else (last - first) / OUTER_SECONDS
        self._at += passed * rate * self.speed
        ended = self._at >= last
        if ended and not self.loop:
            self._at = float(last)
        elif self._at >= last + 1:
            # The last step is seen as long as any other, and is never jumped over.
            self._at = float(first if self._told == last else last)
        step = min(int(self._at), last)
        if step != self._told:
            self._told = step
            self.advanced.emit(self._kind, step)
        if ended and not self.loop:
            self.stop()
