"""Who carries out the runs of a sweep: this process, several, or a Dask cluster."""

import importlib.util
import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.runs.batch.run_queue import RunQueue

_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://.+:\d+")


class Executor(Protocol):
    """Carries out queues of runs."""

    def run(self, queue: "RunQueue") -> None:
        """Carry out a queue until it is over."""
        ...


def num_cores() -> int:
    """Return the cores that this process may use: a scheduler may give some of them."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def need_distributed() -> None:
    """Make sure that Dask is installed.

    Raises:
        UserError: It is not; says how to install it.
    """
    if importlib.util.find_spec("distributed") is None:
        raise UserError(
            "a cluster needs the package distributed, which is not installed; allowed "
            'after: pip install "metalab[cluster]"'
        )


def checked_address(text: str) -> str:
    """Return the address of a scheduler.

    Raises:
        UserError: It is none.
    """
    if not _ADDRESS.fullmatch(text):
        raise UserError(
            f"{text!r} is no address of a scheduler; allowed: as `dask scheduler` prints "
            "it, such as tcp://192.168.0.5:8786"
        )
    return text


@contextmanager
def local_executor(
    *, num_processes: int, num_runs: int
) -> Generator[Executor, None, None]:
    """Yield this process for a single run at a time, or a pool of processes."""
    from metalab.runs.batch.in_turn import InTurn  # noqa: PLC0415 - torch
    from metalab.runs.batch.pool import ProcessPool  # noqa: PLC0415

    if num_processes == 1 or num_runs < 2:
        yield InTurn()
        return
    with ProcessPool(min(num_processes, num_runs)) as pool:
        yield pool


@contextmanager
def cluster_executor(
    address: str, *, tell: Callable[[str], None]
) -> Generator[Executor, None, None]:
    """Yield a Dask cluster.

    Raises:
        UserError: Dask is missing, or no scheduler answers.
    """
    need_distributed()
    checked = checked_address(address)
    from metalab.runs.batch.cluster import Cluster  # noqa: PLC0415 - distributed

    with Cluster(checked, tell=tell) as cluster:
        yield cluster
