"""Timer by which the window polls the run, and a measure of its punctuality."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

FRAME_MS = 33
"""30 Hz."""

HIDDEN_MS = 100
"""While nothing of the window can be seen."""

SHARE = 2
"""A frame that took t of the processor lasts at least this many t: the window never
takes more than half of the interpreter's time."""

LONGEST_MS = 300
"""No hiccup, such as building a dialog, stops the picture for longer."""

_REMEMBERED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTimes:
    """How regularly frames came, over the last ten seconds or so of drawing.

    Attributes:
        count: Number of intervals measured.
        p50_ms: Median interval.
        p99_ms: 99th percentile.
        fps: Frames a second.
    """

    count: int
    p50_ms: float
    p99_ms: float
    fps: float


class FrameClock(QObject):
    """Calls `draw` at 30 Hz, less often if drawing is slow or nothing can be seen.

    What counts as slow is the time that the window's thread computes between two frames,
    painting included, and not the time it waits for the interpreter lock: the rest is
    there for the run's thread.
    """

    def __init__(
        self,
        draw: Callable[[], bool],
        *,
        now: Callable[[], float] = time.perf_counter,
        spent: Callable[[], float] = time.thread_time,
        parent: QObject | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            draw: Hands what is new to the views; returns whether anything was new.
            now: Seconds.
            spent: Seconds that the window's thread has computed.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._draw = draw
        self._now = now
        self._spent = spent
        self._spent_before = spent()
        self._drawn_at: float | None = None
        self._intervals: deque[float] = deque(maxlen=_REMEMBERED)
        self._hidden = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def interval_ms(self) -> int:
        """Time between two ticks just now."""
        return self._timer.interval()

    @property
    def running(self) -> bool:
        """Whether the clock ticks by itself."""
        return self._timer.isActive()

    def start(self) -> None:
        """Begin to tick."""
        self._timer.start()

    def stop(self) -> None:
        """Tick no more."""
        self._timer.stop()

    def set_hidden(self, *, hidden: bool) -> None:
        """Say whether nothing of the window can be seen."""
        self._hidden = hidden

    def tick(self) -> None:
        """Draw one frame, and set the time of the next one."""
        spent = self._spent()
        took_ms = 1000 * (spent - self._spent_before)
        self._spent_before = spent
        if self._draw():
            self._measure()
        else:
            self._drawn_at = None
        shortest = HIDDEN_MS if self._hidden else FRAME_MS
        interval = max(shortest, min(round(SHARE * took_ms), LONGEST_MS))
        if interval != self._timer.interval():
            self._timer.setInterval(interval)

    def _measure(self) -> None:
        now = self._now()
        if self._drawn_at is not None:
            self._intervals.append(now - self._drawn_at)
        self._drawn_at = now

    def forget(self) -> None:
        """Begin to measure anew."""
        self._intervals.clear()
        self._drawn_at = None

    def times(self) -> FrameTimes | None:
        """Return how regular the last frames were; None before the second one."""
        if not self._intervals:
            return None
        intervals = np.array(self._intervals)
        p50, p99 = np.percentile(intervals, [50, 99])
        return FrameTimes(
            count=len(intervals),
            p50_ms=1000 * float(p50),
            p99_ms=1000 * float(p99),
            fps=1 / float(intervals.mean()),
        )
