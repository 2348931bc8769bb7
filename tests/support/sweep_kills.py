"""Sweeps to be killed: a runner whose processes keep a journal, and what must hold of it.

As a script, it is `metalab` with a journal: every process that carries out a run appends
a line when the run begins or goes on, for the steps that it computes, and for what is
safe on the disk. Children that are spawned import it too, and keep the same journal; so
do the workers of a Dask cluster, as their preload.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from metalab.cli.main import run
from metalab.engine.events import RunStarted, StepsDone
from metalab.runs.record import store
from tests.bench.install_peers import ROOT
from tests.support.stored import assert_same_run

JOURNAL = "METALAB_TEST_JOURNAL"
FLUSH_SECONDS = 0.1


def keep_journal(path: str) -> None:
    """Have this process say what it computes and what it has written."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store.FLUSH_SECONDS = FLUSH_SECONDS

    def note(live, *words):
        line = " ".join(map(str, (live.path.name, *words, os.getpid())))
        os.write(file, f"{line}\n".encode())

    plain_event, plain_write = store.RunStore.on_event, store.RunStore._write

    def on_event(self, event, seconds):
        if isinstance(event, RunStarted):
            note(self._live, "begins", event.step)
        elif isinstance(event, StepsDone):
            note(self._live, "computed", event.last_step)
        plain_event(self, event, seconds)

    def write(self, checkpoint, *, urgent):
        plain_write(self, checkpoint, urgent=urgent)
        if checkpoint is not None:
            note(self._live, "stored", checkpoint.step)

    store.RunStore.on_event, store.RunStore._write = on_event, write


def check_journal(path: Path, num_steps: int) -> int:
    """See that nothing was computed twice that had been written.

    Returns:
        Steps that were computed again, for a kill had come before they were written.
    """
    stored = defaultdict(int)
    computed = defaultdict(int)
    again = 0
    for line in path.read_text().splitlines():
        name, what, number, _pid = line.split()
        step = int(number)
        if what == "begins":
            assert step >= stored[name], f"{line}: {stored[name]} had been written"
            again += computed[name] - step
            computed[name] = step
        elif what == "computed":
            assert computed[name] < step <= num_steps, line
            computed[name] = step
        else:
            stored[name] = max(stored[name], step)
    assert set(computed.values()) == {num_steps}, "each was computed to its end"
    return again


class KilledSweep:
    """A sweep that is killed again and again, at moments of a seed."""

    def __init__(self, file: Path, folder: Path, *, seed: int, on_cluster=False):
        self.folder = folder
        self.journal = folder.with_suffix(".journal")
        self.others = OwnCluster(self.journal) if on_cluster else None
        where = ("--jobs", "2")
        if self.others is not None:
            where = ("--scheduler", self.others.address)
        self._command = [
            *(sys.executable, "-m", "tests.support.sweep_kills"),
            *("sweep", str(file), "--out", str(folder), *where),
        ]
        self._rng = random.Random(seed)
        self.num_kills = 0

    def start(self):
        environment = {**os.environ, JOURNAL: str(self.journal), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def kill_once(self, kinds, *, most_seconds: float) -> bool:
        """Start the sweep and kill something of it; return whether it ended before."""
        process = self.start()
        kind = self._rng.choice(kinds)
        # From the first sign of life on, or anywhere in its start.
        if self._rng.random() < 0.8:
            self._wait_for_growth(process)
        wait_seconds(process, self._rng.uniform(0, most_seconds))
        if process.poll() is not None:
            check(process)
            return True
        self._kill(process, kind)
        if kind in ("worker", "scheduler"):
            # The runner goes on: it is left to, and killed when it should have noticed.
            wait_seconds(process, self._rng.uniform(0, 2 * most_seconds))
            if process.poll() is not None:
                check(process)
                return True
            os.kill(process.pid, signal.SIGKILL)
            self.num_kills += 1
        process.wait()
        process.stderr.close()
        return False

    def finish(self) -> None:
        check(self.start())

    def close(self) -> None:
        if self.others is not None:
            self.others.close()

    def _wait_for_growth(self, process) -> None:
        size = self._journal_size()
        while process.poll() is None and self._journal_size() == size:
            time.sleep(0.01)

    def _journal_size(self) -> int:
        return self.journal.stat().st_size if self.journal.exists() else 0

    def _kill(self, process, kind) -> None:
        if kind == "everything":
            os.killpg(process.pid, signal.SIGKILL)
        elif kind == "runner":
            os.kill(process.pid, signal.SIGKILL)
        elif kind == "scheduler":
            self.others.restart_scheduler()
        else:
            parent = process.pid if self.others is None else self.others.worker.pid
            children = children_of(parent)
            if not children:
                return
            with suppress(ProcessLookupError):
                os.kill(self._rng.choice(children), signal.SIGKILL)
        self.num_kills += 1


class OwnCluster:
    """A Dask scheduler and `metalab worker` with two processes, to be killed."""

    def __init__(self, journal: Path):
        self._environment = {
            **os.environ,
            "DASK_DISTRIBUTED__WORKER__PRELOAD": '["tests.support.sweep_kills"]',
            "OMP_NUM_THREADS": "1",
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self._start_scheduler()
        words = ("-m", "metalab", "worker", self.address, "--jobs", "2")
        self._environment[JOURNAL] = str(journal)
        self.worker = self._start(*words)

    def _start(self, *words):
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _start_scheduler(self):
        return self._start(
            *("-m", "distributed.cli.dask_scheduler", "--no-dashboard"),
            *("--host", "127.0.0.1", "--port", str(self._port)),
        )

    def restart_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self._start_scheduler()

    def close(self) -> None:
        self.worker.terminate()
        try:
            self.worker.wait(timeout=60)
        finally:
            for process in (self.worker, self.scheduler):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_seconds(process, seconds: float) -> None:
    """Wait, but not longer than a process lives."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that are alive."""
    with suppress(FileNotFoundError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(number) for number in text.split()]
    return []


def check(process) -> None:
    """See that a sweep ended well."""
    _, told = process.communicate()
    assert process.returncode == 0, told.decode()


def assert_same_folder(whole: Path, cut: Path) -> None:
    """See that two folders hold the same runs, bit for bit."""
    names = sorted(path.name for path in whole.glob("*.metalab"))
    assert names
    assert names == sorted(path.name for path in cut.glob("*.metalab"))
    for name in names:
        assert_same_run(whole / name, cut / name)


if os.environ.get(JOURNAL):
    keep_journal(os.environ[JOURNAL])

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
