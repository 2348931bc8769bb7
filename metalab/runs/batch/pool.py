"""A batch of runs in several processes."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty
from typing import Any

from metalab.experiment.fields import validated
from metalab.runs.batch.batch import Ending, Outcome, PlannedRun, Watch, carry_out
from metalab.runs.record.file_format import RunFileError
from metalab.runs.system.signals import leave_signals_to_parent, stop_on_signals

LOOK_SECONDS = 0.2
"""Time between two looks at the other processes, on either side."""


class _Link:
    """The child's end: what it tells, and whether it is to stop."""

    def __init__(self, index: int, messages: Any, stop: Any) -> None:
        self._index = index
        self._messages = messages
        self._stop = stop
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
            self._messages.put((self._index, self._step))
            self._stopping = self._stop.is_set()
        except (OSError, EOFError):
            # The process that asked for the run is gone: save and end.
            self._stopping = self.lost = True
        return self._stopping


def _in_child(
    index: int, content: dict[str, Any], path: Path, messages: Any, stop: Any
) -> Outcome:
    link = _Link(index, messages, stop)
    if link.stopping():
        return Outcome(ending=Ending.STOPPED, step=0)
    planned = PlannedRun(config=validated(content), path=path)
    outcome = carry_out(planned, tell=link.tell, stopping=link.stopping)
    if link.lost:
        # Nobody can be told; the pool's own loop would wait for work for ever.
        os._exit(1)
    return outcome


def run_in_processes(
    planned: Sequence[PlannedRun], watch: Watch, *, num_processes: int
) -> list[Outcome]:
    """Carry out runs in several processes; a signal stops them all.

    Returns:
        The outcomes, in order; a run that was stopped before it began stands at step 0.

    Raises:
        RunFileError: A run file cannot be used, or a process died.

    Thread: the main thread, for the signals.
    """
    context = multiprocessing.get_context("spawn")
    stopped = threading.Event()
    with (
        stop_on_signals(stopped.set),
        _manager(context) as manager,
        ProcessPoolExecutor(
            max_workers=min(num_processes, len(planned)),
            mp_context=context,
            initializer=leave_signals_to_parent,
        ) as pool,
    ):
        batch = _Batch(planned, watch, manager, pool)
        try:
            return batch.wait(stopped.is_set)
        except BrokenProcessPool as error:
            raise RunFileError(
                "a process of the batch died; the run files are safe, and the same "
                "command goes on"
            ) from error
        finally:
            batch.stop()


def _manager(context: SpawnContext) -> SyncManager:
    manager = SyncManager(ctx=context)
    # It passes messages on until the runs have ended; Ctrl+C reaches it, too.
    manager.start(initializer=leave_signals_to_parent)
    return manager


class _Batch:
    """The parent's end."""

    def __init__(
        self,
        planned: Sequence[PlannedRun],
        watch: Watch,
        manager: SyncManager,
        pool: ProcessPoolExecutor,
    ) -> None:
        self._watch = watch
        self._messages = manager.Queue()
        self._stop = manager.Event()
        self._futures: dict[Future[Outcome], int] = {}
        for index, run in enumerate(planned):
            # The configuration as plain values: its classes are made at run time.
            content = run.config.to_mapping()
            arguments = (index, content, run.path, self._messages, self._stop)
            self._futures[pool.submit(_in_child, *arguments)] = index

    def stop(self) -> None:
        """Ask every run to save and end."""
        self._stop.set()

    def wait(self, stopping: Callable[[], bool]) -> list[Outcome]:
        """Wait for all runs, and return their outcomes in order."""
        pending = set(self._futures)
        while pending:
            done, pending = wait(
                pending, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED
            )
            self._pass_on()
            for future in done:
                self._watch.ended(self._futures[future], future.result())
            if stopping():
                self.stop()
        return [future.result() for future in self._futures]

    def _pass_on(self) -> None:
        while True:
            try:
                index, step = self._messages.get_nowait()
            except Empty:
                return
            self._watch.stepped(index, step)
