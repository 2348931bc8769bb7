"""Commands to a running experiment.

Any thread may give them; the run's thread obeys between two batches of outer steps.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Command(Enum):
    """What the run's thread should do next."""

    GO = auto()
    WAIT = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Permit:
    """One answer to "may I go on?".

    Attributes:
        order: Go, wait or stop.
        num_steps: With GO: the most outer steps to make before asking again; None
            means no limit.
    """

    order: Command
    num_steps: int | None = None


class RunControl:
    """Pause, resume, step and stop, as a small thread-safe state machine."""

    def __init__(
        self, *, paused: bool = False, also_stops: Callable[[], bool] | None = None
    ) -> None:
        """Begin without orders.

        Args:
            paused: Whether the run waits before its first step.
            also_stops: Asked, by whoever asks whether to stop, for orders from
                elsewhere: another process, a signal.
        """
        self._also_stops = also_stops
        self._changed = threading.Condition()
        self._stopping = False
        self._paused = paused
        self._steps_left = 0
        self._edits: list[tuple[str, float | str]] = []
        self._without_kernels = False

    @property
    def paused(self) -> bool:
        """Whether the run has been told to pause and has no steps left to make."""
        with self._changed:
            return self._paused and self._steps_left == 0

    @property
    def stopping(self) -> bool:
        """Whether the run has been told to stop."""
        if self._also_stops is not None and self._also_stops():
            self.stop()
        with self._changed:
            return self._stopping

    def pause(self) -> None:
        """Ask the run to wait after the steps in progress."""
        with self._changed:
            self._paused = True
            self._steps_left = 0
            self._changed.notify_all()

    def resume(self) -> None:
        """Ask the run to go on."""
        with self._changed:
            self._paused = False
            self._steps_left = 0
            self._changed.notify_all()

    def step(self, num_steps: int) -> None:
        """Ask the run for some outer steps, then to wait.

        Raises:
            ValueError: `num_steps` is below 1.
        """
        if num_steps < 1:
            raise ValueError(f"num_steps is {num_steps}; allowed: at least 1")
        with self._changed:
            self._paused = True
            self._steps_left += num_steps
            self._changed.notify_all()

    def stop(self) -> None:
        """Ask the run to end and keep what it has. Cannot be taken back."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    @property
    def without_kernels(self) -> bool:
        """Whether the run has been told to wait for no compiler."""
        with self._changed:
            return self._without_kernels

    def do_without_kernels(self) -> None:
        """Ask the run to begin now, by automatic differentiation, if it can.

        A run that has begun, or that needs compiled kernels, takes no notice.
        """
        with self._changed:
            self._without_kernels = True

    def edit(self, path: str, value: float | str) -> None:
        """Ask the run to change a field from its next outer step on."""
        with self._changed:
            self._edits.append((path, value))
            self._changed.notify_all()

    def take_edits(self) -> list[tuple[str, float | str]]:
        """Return the changes that were asked for, once. Called by the run's thread."""
        with self._changed:
            edits, self._edits = self._edits, []
            return edits

    def turn(self) -> Permit:
        """Return what to do now. Called by the run's thread."""
        with self._changed:
            if self._stopping:
                return Permit(Command.STOP)
            if not self._paused:
                return Permit(Command.GO)
            if self._steps_left > 0:
                return Permit(Command.GO, self._steps_left)
            return Permit(Command.WAIT)

    def made(self, num_steps: int) -> None:
        """Count outer steps that were made. Called by the run's thread."""
        with self._changed:
            self._steps_left = max(0, self._steps_left - num_steps)

    def wait(self, timeout: float) -> None:
        """Sleep until a command arrives, or for `timeout` seconds.

        Called by the run's thread after `turn` said WAIT.
        """
        with self._changed:
            idle = self._paused and self._steps_left == 0 and not self._edits
            if idle and not self._stopping:
                self._changed.wait(timeout)
