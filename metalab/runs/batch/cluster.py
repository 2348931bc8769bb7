"""A batch of runs on a Dask cluster, by the address of its scheduler.

Runs are handed out as workers have room, so that the queue stays here: it can be paused
and reordered, and it outlives the scheduler.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from distributed import Client, Future

from metalab.core.paths import is_there, replace_file
from metalab.runs.batch.batch import BatchError, Ending, Outcome
from metalab.runs.batch.dask_tasks import (
    MOST_BYTES,
    SEGMENT_SECONDS,
    Order,
    Report,
    carry_out_order,
)
from metalab.runs.batch.folder import token_of
from metalab.runs.batch.parcel import pack
from metalab.runs.batch.run_queue import RunQueue
from metalab.runs.record.file_format import RunBusyError, RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.record.writer import check_unlocked
from metalab.runs.system.environment import environment
from metalab.runs.system.signals import stop_on_signals

CONNECT_SECONDS = 10.0
RECONNECT_SECONDS = 600.0
"""Time that a scheduler may be gone before the batch gives up."""

SAME = ("metalab", "torch", "numpy", "numba", "llvmlite")
"""Packages that have to be of one version everywhere, for the same bits."""

_LOOK_SECONDS = 0.2
_WORKERS_SECONDS = 1.0
_SAVING_SECONDS = 20.0


@dataclass(slots=True, kw_only=True)
class _Given:
    """A run that a worker has."""

    index: int
    future: "Future[Report]"
    leaving_until: float | None = None


def _say_nothing(words: str) -> None:
    del words


class Cluster:
    """Carries out runs on the workers of a Dask scheduler.

    Thread: one at a time; it is blocked while a queue is carried out. In the main thread
    a signal stops the batch.
    """

    def __init__(
        self,
        address: str,
        *,
        tell: Callable[[str], None] = _say_nothing,
        segment_seconds: float = SEGMENT_SECONDS,
        reconnect_seconds: float = RECONNECT_SECONDS,
    ) -> None:
        """Connect to a scheduler.

        Args:
            address: Of the scheduler, such as "tcp://login1:8786".
            tell: Told what a person should know: that workers are waited for, or refused.
            segment_seconds: See `metalab.runs.batch.dask_tasks.SEGMENT_SECONDS`.
            reconnect_seconds: Time that the scheduler may be gone.

        Raises:
            BatchError: No scheduler answers there.
        """
        self._address = address
        self._tell = tell
        self._segment_seconds = segment_seconds
        self._reconnect_seconds = reconnect_seconds
        self._topic = f"metalab-{secrets.token_hex(8)}"
        self._given: dict[int, _Given] = {}
        self._steps: dict[int, int] = {}
        self._number = 0
        self._threads: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._looked_at = -_WORKERS_SECONDS
        self._said_waiting = False
        # A lost scheduler is told in words; its traceback says nothing more.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._client = self._connected()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; its scheduler and workers stay."""
        self._client.close(timeout=CONNECT_SECONDS)

    def _connected(self) -> Client:
        try:
            client = Client(
                self._address,
                timeout=f"{CONNECT_SECONDS} s",
                set_as_default=False,
                name="metalab-sweep",
            )
        except (OSError, ValueError) as error:
            raise BatchError(
                f"no Dask scheduler answers at {self._address!r} within "
                f"{CONNECT_SECONDS:g} s; allowed: the address that `dask scheduler` "
                f"prints, such as tcp://192.168.0.5:8786 ({error})"
            ) from error
        client.subscribe_topic(self._topic, self._on_event)
        return client

    def _on_event(self, event: tuple[float, Any]) -> None:
        """Note a step; called in the client's thread."""
        index, step = event[1]
        self._steps[index] = step

    def run(self, queue: RunQueue) -> None:
        """Carry out a queue until it is over.

        Raises:
            BatchError: The scheduler is gone for too long, or no worker can be used.
        """
        self._steps.clear()
        with stop_on_signals(queue.stop):
            while not queue.over:
                if self._client.status != "running":
                    self._reconnect(queue)
                    continue
                self._look_at_workers()
                self._hand_out(queue)
                self._take_in(queue)
                self._pass_orders(queue)
                if not queue.over:
                    time.sleep(_LOOK_SECONDS)

    def _reconnect(self, queue: RunQueue) -> None:
        """Wait for the scheduler; what workers had comes back to the queue."""
        for given in list(self._given.values()):
            self._given.pop(given.index)
            queue.given_back(given.index)
        self._tell(f"the scheduler at {self._address} is gone; waiting for it")
        deadline = time.monotonic() + self._reconnect_seconds
        while not queue.over:
            self._client.close(timeout=1)
            try:
                self._client = self._connected()
            except BatchError:
                if time.monotonic() > deadline:
                    raise
                continue
            self._threads.clear()
            self._tell(f"the scheduler at {self._address} is back")
            return

    def _look_at_workers(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < _WORKERS_SECONDS:
            return
        self._looked_at = now
        found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        threads = {address: int(w["nthreads"]) for address, w in found.items()}
        unknown = threads.keys() - self._threads.keys() - self._refused.keys()
        if unknown:
            self._check_versions(sorted(unknown))
        self._refused = {a: why for a, why in self._refused.items() if a in threads}
        self._threads = {a: n for a, n in threads.items() if a not in self._refused}
        if self._refused and not self._threads:
            why = next(iter(self._refused.values()))
            raise BatchError(f"no worker of {self._address} can be used: {why}")
        if not threads and not self._said_waiting:
            self._tell(
                f"waiting for workers of {self._address}: start them by "
                f"`metalab worker {self._address}`"
            )
        self._said_waiting = not threads

    def _check_versions(self, addresses: list[str]) -> None:
        """Refuse workers on which the same run would have other bits."""
        mine = environment()
        theirs = self._asked(environment, workers=addresses)
        for address, found in theirs.items():
            if isinstance(found, BaseException):
                # It cannot import metalab, or it is gone again.
                why = f"worker {address} does not answer: {found!r}"
            else:
                why = ", ".join(
                    f"{name} {found.get(name) or 'missing'} instead of {mine[name]}"
                    for name in SAME
                    if found.get(name) != mine[name]
                )
                why = why and f"worker {address} has {why}"
            if why:
                self._refused[address] = why
                self._tell(f"{why}; it gets no run")

    def _hand_out(self, queue: RunQueue) -> None:
        room = sum(self._threads.values()) - len(self._given)
        for _ in range(room):
            index = queue.take()
            if index is None:
                return
            planned = queue.planned(index)
            path = planned.path.absolute()
            order = Order(
                parcel=pack(planned),
                index=index,
                topic=self._topic,
                token=token_of(path.parent),
                segment_seconds=self._segment_seconds,
            )
            self._number += 1
            future = self._client.submit(
                carry_out_order,
                order,
                self._data_for_strangers(path),
                key=f"{self._topic}-{self._number}",
                pure=False,
                workers=sorted(self._threads) if self._refused else None,
            )
            self._given[index] = _Given(index=index, future=future)

    def _asked(
        self, function: Callable[..., Any], *arguments: Any, workers: list[str]
    ) -> dict[str, Any]:
        """Return what a function returns, or raises, on each worker."""
        found: Any = self._client.run(
            function, *arguments, workers=workers, on_error="return"
        )
        return found

    def _data_for_strangers(self, path: Path) -> Any:
        """Return the run file for workers that do not see the folder, if there is one."""
        if self._all_see_folder(path) or not is_there(path):
            return None
        if path.stat().st_size > MOST_BYTES:
            # The worker starts anew, finds the same, and says so.
            return None
        return self._client.scatter(path.read_bytes(), hash=False)

    def _all_see_folder(self, path: Path) -> bool:
        token = token_of(path.parent)
        seen = self._asked(token_of, path.parent, workers=sorted(self._threads))
        return bool(seen) and all(found == token for found in seen.values())

    def _take_in(self, queue: RunQueue) -> None:
        for index, step in list(self._steps.items()):
            self._steps.pop(index)
            if index in self._given:
                queue.stepped(index, step)
        for given in list(self._given.values()):
            if given.leaving_until is not None:
                self._wait_for_saving(given, queue)
            elif given.future.status != "pending":
                self._take_in_one(given, queue)

    def _take_in_one(self, given: _Given, queue: RunQueue) -> None:
        index, status = given.index, given.future.status
        del self._given[index]
        if status == "finished":
            report: Report = given.future.result()
            given.future.release()
            self._keep(report, index, queue)
        elif status == "error":
            # Of the cluster: what is wrong with a run is in its report.
            queue.lost(index, f"said {given.future.exception()!r}")
        else:
            # The scheduler forgot it: it was restarted, or lost what the task needs.
            queue.given_back(index)

    def _keep(self, report: Report, index: int, queue: RunQueue) -> None:
        outcome = report.outcome
        if report.data is not None:
            path = queue.planned(index).path
            try:
                replace_file(path, report.data)
            except OSError as error:
                message = f"{path} cannot be written: {error.strerror}"
                outcome = Outcome(ending=Ending.FAILED, step=0, message=message)
        if report.continues and outcome is report.outcome:
            queue.stepped(index, outcome.step)
            queue.given_back(index)
            return
        queue.ended(index, outcome)

    def _pass_orders(self, queue: RunQueue) -> None:
        for given in self._given.values():
            if given.leaving_until is None and queue.stops(given.index):
                given.leaving_until = time.monotonic() + _SAVING_SECONDS
                # The worker sees that nobody wants the task, saves, and ends.
                given.future.cancel(force=True)

    def _wait_for_saving(self, given: _Given, queue: RunQueue) -> None:
        """Take a run back once its file is not written any more."""
        assert given.leaving_until is not None, "it was told to save"
        path = queue.planned(given.index).path
        step = 0
        if is_there(path):
            try:
                check_unlocked(path)
                step = open_run(path).history.step
            except RunBusyError:
                if time.monotonic() < given.leaving_until:
                    return
            except RunFileError:
                # It is told when the run goes on.
                step = 0
        del self._given[given.index]
        queue.ended(given.index, Outcome(ending=Ending.STOPPED, step=step))
