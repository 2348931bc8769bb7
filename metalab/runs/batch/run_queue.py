"""The queue of a batch: which runs wait, go on, and have ended.

Whoever carries runs out takes them from here, and says what became of them; whoever looks
on, or gives orders, does so here, from any thread.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from metalab.runs.batch.batch import Ending, Outcome, PlannedRun, Watch

RETRIES = 2
"""Further attempts at a run whose process died, unless a sweep says otherwise."""


class Place(Enum):
    """Where a run stands in the queue."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRun:
    """One run of a queue, as it stood a moment ago.

    Attributes:
        planned: The run.
        place: Whether it waits, goes on, or has ended.
        step: Outer steps that it has made, as far as is known.
        outcome: What became of it; None until it has ended.
        losses: Processes that died of it or with it, in this batch.
    """

    planned: PlannedRun
    place: Place
    step: int
    outcome: Outcome | None
    losses: int


class _Entry:
    def __init__(self, planned: PlannedRun) -> None:
        self.planned = planned
        self.place = Place.WAITING
        self.step = 0
        self.outcome: Outcome | None = None
        self.losses = 0
        self.cancelled = False


class RunQueue:
    """The runs of a batch, in the order in which they are begun.

    A run that goes on when the queue is paused, or its process is lost, comes back to the
    front: it goes on from its last checkpoint.

    Thread: any; the watch is called in the thread of whoever carries the runs out.
    """

    def __init__(
        self,
        planned: Sequence[PlannedRun],
        watch: Watch,
        *,
        retries: int = RETRIES,
    ) -> None:
        """Queue runs, in order.

        Args:
            planned: The runs.
            watch: Told of steps and endings.
            retries: Further attempts at a run whose process died, or that failed for a
                reason that may pass.
        """
        self._watch = watch
        self._retries = retries
        self._lock = threading.RLock()
        self._entries = [_Entry(run) for run in planned]
        self._waiting = list(range(len(planned)))
        self._paused = False
        self._stopping = False

    # For whoever carries the runs out.

    def take(self) -> int | None:
        """Return the number of the next run, which goes on from now; None for none now."""
        with self._lock:
            if self._paused or self._stopping or not self._waiting:
                return None
            index = self._waiting.pop(0)
            self._entries[index].place = Place.RUNNING
            return index

    def planned(self, index: int) -> PlannedRun:
        """Return a run."""
        return self._entries[index].planned

    def stops(self, index: int) -> bool:
        """Return whether a run that goes on shall save and end."""
        with self._lock:
            return self._paused or self._stopping or self._entries[index].cancelled

    def stepped(self, index: int, step: int) -> None:
        """Note the outer steps that a run has made."""
        self._entries[index].step = step
        self._watch.stepped(index, step)

    def ended(self, index: int, outcome: Outcome) -> None:
        """Note what became of a run: it has ended, or comes back to the queue."""
        with self._lock:
            entry = self._entries[index]
            entry.step = outcome.step
            if outcome.traceback and self._tries_again(entry):
                self._put_back(index)
                return
            if outcome.ending is Ending.STOPPED:
                if entry.cancelled:
                    outcome = Outcome(ending=Ending.CANCELLED, step=outcome.step)
                elif not self._stopping:
                    self._put_back(index)
                    return
            entry.place, entry.outcome = Place.ENDED, outcome
        self._watch.ended(index, outcome)

    def lost(self, index: int, reason: str) -> None:
        """Note that the process of a run died.

        The run comes back to the front of the queue, or has failed, if its processes
        keep dying.

        Args:
            index: The run.
            reason: What became of the process, as the end of a sentence.
        """
        with self._lock:
            entry = self._entries[index]
            if self._stopping or entry.cancelled:
                outcome = Outcome(ending=Ending.STOPPED, step=entry.step)
            elif self._tries_again(entry):
                self._put_back(index)
                return
            else:
                outcome = Outcome(
                    ending=Ending.FAILED,
                    step=entry.step,
                    message=f"its process died {entry.losses} times: the last {reason}",
                )
        self.ended(index, outcome)

    def given_back(self, index: int) -> None:
        """Take back a run that was not begun."""
        with self._lock:
            self._put_back(index)

    def _tries_again(self, entry: _Entry) -> bool:
        entry.losses += 1
        return entry.losses <= self._retries and not (self._stopping or entry.cancelled)

    def _put_back(self, index: int) -> None:
        self._entries[index].place = Place.WAITING
        self._waiting.insert(0, index)

    @property
    def over(self) -> bool:
        """Whether nothing goes on, and nothing will."""
        with self._lock:
            running = any(e.place is Place.RUNNING for e in self._entries)
            return not running and (self._stopping or not self._waiting)

    @property
    def num_waiting(self) -> int:
        """Runs that could begin now."""
        with self._lock:
            return 0 if self._paused or self._stopping else len(self._waiting)

    # For whoever looks on or gives orders.

    @property
    def paused(self) -> bool:
        """Whether no run begins, and those that went on were told to save."""
        return self._paused

    @property
    def stopping(self) -> bool:
        """Whether the batch was told to save and end."""
        return self._stopping

    def pause(self) -> None:
        """Ask the runs that go on to save, and begin none until `resume`."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Go on with what waits, after a pause or a stop."""
        with self._lock:
            self._paused = self._stopping = False
            for index, entry in enumerate(self._entries):
                stopped = entry.outcome and entry.outcome.ending is Ending.STOPPED
                if stopped:
                    self._wait_again(index)
            self._waiting.sort(key=lambda i: self._entries[i].step == 0)

    def stop(self) -> None:
        """Ask every run to save and end; none is begun any more."""
        with self._lock:
            self._stopping = True

    def cancel(self, index: int) -> None:
        """Leave a run out: one that goes on saves and ends."""
        with self._lock:
            entry = self._entries[index]
            if entry.place is Place.ENDED:
                return
            entry.cancelled = True
            if entry.place is Place.RUNNING:
                return
            self._waiting.remove(index)
            entry.place = Place.ENDED
            entry.outcome = Outcome(ending=Ending.CANCELLED, step=entry.step)
            outcome = entry.outcome
        self._watch.ended(index, outcome)

    def retry(self, index: int) -> None:
        """Queue a run again that has failed, or was cancelled or stopped."""
        with self._lock:
            outcome = self._entries[index].outcome
            again = (Ending.FAILED, Ending.CANCELLED, Ending.STOPPED)
            if outcome is not None and outcome.ending in again:
                self._wait_again(index)

    def _wait_again(self, index: int) -> None:
        entry = self._entries[index]
        entry.outcome, entry.cancelled, entry.losses = None, False, 0
        entry.place = Place.WAITING
        self._waiting.append(index)

    def move(self, index: int, places: int) -> None:
        """Move a run that waits, by some places towards the end, or the front if below 0."""
        with self._lock:
            if index in self._waiting:
                place = self._waiting.index(index)
                self._waiting.pop(place)
                self._waiting.insert(max(0, place + places), index)

    @property
    def waiting(self) -> tuple[int, ...]:
        """The runs that wait, the next one first."""
        with self._lock:
            return tuple(self._waiting)

    def snapshot(self) -> tuple[QueuedRun, ...]:
        """Return every run as it stands, in the order of the batch."""
        with self._lock:
            return tuple(
                QueuedRun(
                    planned=entry.planned,
                    place=entry.place,
                    step=entry.step,
                    outcome=entry.outcome,
                    losses=entry.losses,
                )
                for entry in self._entries
            )

    def outcomes(self) -> list[Outcome]:
        """Return what became of each run; one that was not begun was stopped at step 0."""
        with self._lock:
            not_begun = Outcome(ending=Ending.STOPPED, step=0)
            return [entry.outcome or not_begun for entry in self._entries]


class Silent:
    """A watch that says nothing."""

    def stepped(self, index: int, step: int) -> None:
        """Say nothing."""

    def ended(self, index: int, outcome: Outcome) -> None:
        """Say nothing."""
