"""Ways to show how far a run is: a bar in a terminal, lines elsewhere, or nothing."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from metalab.api.foreground import Show
from metalab.runs.record.live import LiveRun

_LINE_SECONDS = 10.0
"""Least time between two lines that stay."""

_SAME_LINE_SECONDS = 0.5
"""Least time between two states of a line that is written over."""


def _in_notebook() -> bool:
    """Return whether cells are run: an output there takes carriage returns.

    IPython's shell has a kernel there, and none in a terminal; that ipykernel is loaded
    says nothing, for scripts that run notebooks load it too.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class _Bar:
    """A bar in a terminal."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def moved(self, step: int, rate: str) -> None:
        self._progress.update(self._task, completed=step, rate=rate)

    def evaluated(self, loss: float) -> None:
        self._progress.update(self._task, evaluation=f"evaluation {loss:.3f}")

    def told(self, line: str) -> None:
        self._progress.console.print(line)


class _Lines:
    """Plain text: one line that is written over in a notebook, a line now and then else."""

    def __init__(self, live: LiveRun, stream: TextIO, *, over: bool) -> None:
        self._name = live.snapshot().name
        self._total = live.config.outer.num_steps
        self._stream, self._over = stream, over
        self._evaluation, self._rate = "", ""
        self._step: int | None = None
        self._shown_at = -_LINE_SECONDS
        self._width = 0

    def moved(self, step: int, rate: str) -> None:
        self._step, self._rate = step, rate
        least = _SAME_LINE_SECONDS if self._over else _LINE_SECONDS
        if rate and time.monotonic() - self._shown_at >= least:
            self._write()

    def evaluated(self, loss: float) -> None:
        self._evaluation = f"held-out loss {loss:.3f}"

    def told(self, line: str) -> None:
        over = "\r" if self._over else ""
        self._stream.write(f"{over}{line.ljust(self._width)}\n")
        self._width = 0

    def end(self) -> None:
        """Leave the last state, its evaluation too, on a line of its own."""
        if self._step is not None:
            self._write()
            self._stream.write("\n" if self._over else "")
            self._stream.flush()

    def _write(self) -> None:
        self._shown_at = time.monotonic()
        steps = f"{self._step:,} of {self._total:,} outer steps"
        parts = (part for part in (steps, self._rate, self._evaluation) if part)
        line = f"{self._name}: {', '.join(parts)}"
        if self._over:
            # What was longer is written over.
            self._stream.write(f"\r{line.ljust(self._width)}")
            self._width = len(line)
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


class _Nothing:
    """Silence."""

    def moved(self, step: int, rate: str) -> None:
        del step, rate

    def evaluated(self, loss: float) -> None:
        del loss

    def told(self, line: str) -> None:
        del line


@contextmanager
def bar(console: Console, live: LiveRun) -> Generator[Show]:
    """Show a run as a bar; on a console that is no terminal, only lines that stay."""
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[evaluation]}"),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        history = live.snapshot()
        task = progress.add_task(
            history.name,
            total=live.config.outer.num_steps,
            completed=history.step,
            rate="",
            evaluation="",
        )
        yield _Bar(progress, task)


@contextmanager
def progress_of(live: LiveRun, *, wanted: bool) -> Generator[Show]:
    """Show a run of a script or a notebook.

    A bar on stderr where that is a terminal; in a notebook one line that is written over;
    else a line now and then on stderr.
    """
    if not wanted:
        yield _Nothing()
        return
    screen = Console(stderr=True, markup=False, highlight=False, emoji=False)
    in_notebook = _in_notebook()
    if screen.is_terminal and not in_notebook:
        with bar(screen, live) as shown:
            yield shown
        return
    lines = _Lines(live, sys.stdout if in_notebook else sys.stderr, over=in_notebook)
    try:
        yield lines
    finally:
        lines.end()
