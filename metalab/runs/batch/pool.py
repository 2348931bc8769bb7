"""A batch of runs in several processes of this computer.

Each process carries out one run at a time, on one end of a pipe. One that dies is
replaced, and its run goes on from its last checkpoint.
"""

import multiprocessing
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from metalab.core.errors import UserError
from metalab.runs.batch.batch import (
    BatchError,
    Ending,
    Outcome,
    PlannedRun,
    Watch,
    attempt,
)
from metalab.runs.batch.parcel import Parcel, pack, unpack
from metalab.runs.batch.run_queue import RETRIES, RunQueue
from metalab.runs.system.signals import leave_signals_to_parent, stop_on_signals

LOOK_SECONDS = 0.2
"""Time between two looks at the other processes, on either side."""

MOST_FAILED_STARTS = 5
"""Processes that end one after another before any is ready: the next would, too."""

_CLOSING_SECONDS = 10.0
_STOP, _QUIT, _READY = "stop", "quit", "ready"


class _Link:
    """The child's end: what it tells, and whether it is to stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._looked_at = -LOOK_SECONDS
        self._step = 0
        self._stopping = False
        self.lost = False

    def tell(self, step: int) -> None:
        self._step = step

    def stopping(self) -> bool:
        now = time.monotonic()
        if self._stopping or now - self._looked_at < LOOK_SECONDS:
            return self._stopping
        self._looked_at = now
        try:
            self._connection.send(self._step)
            if self._connection.poll():
                self._stopping = self._connection.recv() == _STOP
        except (OSError, EOFError):
            # The process that asked for the run is gone: save and end.
            self._stopping = self.lost = True
        return self._stopping


def _work(connection: Connection) -> None:
    """Carry out runs until there is nobody any more to ask for one."""
    leave_signals_to_parent()
    # Gone parents are noticed wherever the child happens to listen or tell.
    with suppress(OSError, EOFError):
        connection.send(_READY)
        while True:
            message = connection.recv()
            if message == _QUIT:
                return
            if message == _STOP:
                # It was sent when the run that it is about had just ended.
                continue
            link = _Link(connection)
            outcome = _outcome_of(message, link)
            if link.lost:
                return
            connection.send(outcome)


def _outcome_of(parcel: Parcel, link: _Link) -> Outcome:
    try:
        planned = unpack(parcel)
    except UserError as error:
        return Outcome(ending=Ending.FAILED, step=0, message=str(error))
    return attempt(planned, tell=link.tell, stopping=link.stopping)


class _Worker:
    """The parent's end of one process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        # Held by the child alone, it closes with the child.
        theirs.close()
        self.ready = False
        self.index: int | None = None
        self.told_to_stop = False

    @property
    def idle(self) -> bool:
        return self.ready and self.index is None

    def begin(self, index: int, parcel: Parcel) -> bool:
        """Hand a run over; return whether the process took it."""
        self.index, self.told_to_stop = index, False
        return self._send(parcel)

    def stop(self) -> None:
        if not self.told_to_stop:
            self.told_to_stop = self._send(_STOP)

    def quit(self) -> None:
        self._send(_QUIT)

    def _send(self, message: Any) -> bool:
        try:
            self.connection.send(message)
        except OSError:
            # It died: its end of the pipe is noticed by whoever listens.
            return False
        return True

    def death(self) -> str:
        """Return how the process ended, as the end of a sentence."""
        self.process.join(_CLOSING_SECONDS)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"was ended by {name}{hint}"


class ProcessPool:
    """Processes that carry out runs, and stay for the next queue.

    Thread: one at a time; it is blocked while a queue is carried out. In the main thread
    a signal stops the batch.
    """

    def __init__(self, num_processes: int) -> None:
        """Prepare; processes are started when there are runs for them."""
        self._num_processes = num_processes
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._how = ""

    def __enter__(self) -> "ProcessPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process numbers, of those that are ready."""
        found = (worker.process.pid for worker in self._workers if worker.ready)
        return tuple(pid for pid in found if pid is not None)

    def set_num_processes(self, num_processes: int) -> None:
        """Change how many runs go on at once; one too many ends with its run.

        Thread: any.
        """
        self._num_processes = num_processes

    def run(self, queue: RunQueue) -> None:
        """Carry out a queue until it is over.

        Raises:
            BatchError: Processes end before they can begin.
        """
        with stop_on_signals(queue.stop):
            while not queue.over:
                self._hand_out(queue)
                self._listen(queue)
                for worker in self._workers:
                    if worker.index is not None and queue.stops(worker.index):
                        worker.stop()

    def _hand_out(self, queue: RunQueue) -> None:
        idle = [worker for worker in self._workers if worker.idle]
        room = self._num_processes - len(self._workers)
        for worker in idle[: max(0, len(idle) + min(room, 0))]:
            index = queue.take()
            if index is None:
                return
            worker.begin(index, pack(queue.planned(index)))
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(room, queue.num_waiting - starting)):
            self._workers.append(_Worker())

    def _listen(self, queue: RunQueue) -> None:
        by_connection = {worker.connection: worker for worker in self._workers}
        if not by_connection:
            time.sleep(LOOK_SECONDS)
            return
        for connection in wait(list(by_connection), timeout=LOOK_SECONDS):
            assert isinstance(connection, Connection), "it is one of those waited for"
            worker = by_connection[connection]
            try:
                message = connection.recv()
            except (EOFError, OSError):
                self._bury(worker, queue)
            else:
                self._take_in(worker, message, queue)

    def _take_in(self, worker: _Worker, message: Any, queue: RunQueue) -> None:
        if message == _READY:
            worker.ready = True
            self._failed_starts = 0
            return
        assert worker.index is not None, "only a run has anything to tell"
        if isinstance(message, Outcome):
            index, worker.index = worker.index, None
            queue.ended(index, message)
        else:
            queue.stepped(worker.index, message)

    def _bury(self, worker: _Worker, queue: RunQueue) -> None:
        """Let go of a process that died."""
        self._workers.remove(worker)
        how = worker.death()
        worker.connection.close()
        if worker.index is not None:
            queue.lost(worker.index, how)
        elif not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                queue.stop()
                raise BatchError(
                    f"{self._failed_starts} processes ended before they could begin a "
                    f"run: the last {how}. A script that starts runs in processes needs "
                    'to do so under `if __name__ == "__main__":`'
                )

    def close(self) -> None:
        """End the processes; what goes on saves first."""
        for worker in self._workers:
            if worker.index is not None:
                worker.stop()
            worker.quit()
        deadline = time.monotonic() + _CLOSING_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.1, deadline - time.monotonic()))
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            worker.connection.close()
        self._workers.clear()


def run_in_processes(
    planned: Sequence[PlannedRun],
    watch: Watch,
    *,
    num_processes: int,
    retries: int = RETRIES,
) -> list[Outcome]:
    """Carry out runs in several processes; a signal stops them all.

    Returns:
        The outcomes, in order; a run that was stopped before it began stands at step 0.

    Raises:
        BatchError: Processes end before they can begin.

    Thread: the main thread, for the signals.
    """
    queue = RunQueue(planned, watch, retries=retries)
    with ProcessPool(min(num_processes, len(planned))) as pool:
        pool.run(queue)
    return queue.outcomes()
