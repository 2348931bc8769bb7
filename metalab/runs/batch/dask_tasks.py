"""What a worker of a Dask cluster does: carry out a run, here or on a copy of its file.

A worker that sees the sweep's folder writes the run file there, as a process of this
computer would. One that does not gets the file's bytes, takes the run further for a
while in a folder of its own, and returns the bytes.
"""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.core import Status

from metalab.core.errors import UserError
from metalab.runs.batch.batch import Ending, Outcome, attempt
from metalab.runs.batch.folder import token_of
from metalab.runs.batch.parcel import Parcel, unpack

SEGMENT_SECONDS = 60.0
"""Time after which a worker without the folder returns what it has: the most that is lost
with it."""

MOST_BYTES = 512 * 2**20
"""Of a run file that travels."""

_LOOK_SECONDS = 0.2
_TELL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run for a worker.

    Attributes:
        parcel: The run.
        index: Its number in the batch.
        topic: Where to tell how it goes on.
        token: What the sweep's folder holds, for those who see it.
        segment_seconds: See `SEGMENT_SECONDS`.
    """

    parcel: Parcel
    index: int
    topic: str
    token: str
    segment_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker returns.

    Attributes:
        outcome: What became of the run.
        data: The run file, of a worker that does not see the folder; None of one that
            does, and where there is no file.
        continues: Whether the run is to be taken further: its time was over.
    """

    outcome: Outcome
    data: bytes | None = None
    continues: bool = False


def carry_out_order(order: Order, data: bytes | None) -> Report:
    """Carry out a run. Called in a worker's thread.

    Args:
        order: The run.
        data: Its file as it is where the sweep is run; None for none.
    """
    try:
        planned = unpack(order.parcel)
    except UserError as error:
        outcome = Outcome(ending=Ending.FAILED, step=0, message=str(error))
        return Report(outcome=outcome)
    if token_of(planned.path.parent) == order.token:
        link = _Link(order, until=None)
        return Report(outcome=attempt(planned, tell=link.tell, stopping=link.stopping))
    with tempfile.TemporaryDirectory(prefix="metalab-run-") as folder:
        path = Path(folder) / planned.path.name
        if data is not None:
            path.write_bytes(data)
        link = _Link(order, until=time.monotonic() + order.segment_seconds)
        here = replace(planned, path=path)
        outcome = attempt(here, tell=link.tell, stopping=link.stopping)
        return _with_data(outcome, path, continues=link.time_is_over)


def _with_data(outcome: Outcome, path: Path, *, continues: bool) -> Report:
    if not path.exists():
        return Report(outcome=outcome, continues=continues)
    size = path.stat().st_size
    if size > MOST_BYTES:
        message = (
            f"its file has {size / 2**20:,.0f} MiB; allowed where the worker does not "
            f"see the sweep's folder: {MOST_BYTES / 2**20:,.0f} MiB. Use a folder that "
            "every worker sees"
        )
        failed = Outcome(ending=Ending.FAILED, step=outcome.step, message=message)
        return Report(outcome=failed)
    stopped = outcome.ending is Ending.STOPPED
    return Report(
        outcome=outcome, data=path.read_bytes(), continues=continues and stopped
    )


class _Link:
    """What a task tells while it goes on, and whether it is to stop."""

    def __init__(self, order: Order, *, until: float | None) -> None:
        # Untyped in distributed; the few attributes used here are tested.
        self._worker: Any = get_worker()
        self._key = self._worker.get_current_task()
        self._order = order
        self._until = until
        self._first: int | None = None
        self._step = 0
        self._looked_at = self._told_at = 0.0
        self._stopping = False
        self.time_is_over = False

    def tell(self, step: int) -> None:
        if self._first is None:
            self._first = step
        self._step = step

    def stopping(self) -> bool:
        now = time.monotonic()
        if self._stopping or now - self._looked_at < _LOOK_SECONDS:
            return self._stopping
        self._looked_at = now
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            self._worker.log_event(self._order.topic, [self._order.index, self._step])
        # A segment makes a step at least, however long one takes.
        made = self._first is not None and self._step > self._first
        if self._until is not None and now >= self._until and made:
            self.time_is_over = self._stopping = True
        elif self._is_unwanted():
            self._stopping = True
        return self._stopping

    def _is_unwanted(self) -> bool:
        """Return whether nobody waits for the result, or the worker is closing.

        Known here without a question to the scheduler, which may be gone.
        """
        task = self._worker.state.tasks.get(self._key)
        closing = self._worker.status not in (Status.running, Status.paused)
        return closing or task is None or task.state == "cancelled"
