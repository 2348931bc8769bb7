"""Runs to come back to, as lines of a menu."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QLocale, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from metalab.runs.record.status import RunStatus
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.runs.record.recent import RunSummary

_LONGEST_NAME = 60


_ENDS = {
    RunStatus.FINISHED: "finished",
    RunStatus.STOPPED: "stopped",
    RunStatus.DIVERGED: "diverged",
    RunStatus.FAILED: "failed",
}


def run_name(run: "RunSummary") -> str:
    """Return what a run is called, not longer than fits into a line."""
    name = run.name
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def run_state(run: "RunSummary") -> str:
    """Return how far a run has come, and when, in a few words."""
    if run.problem:
        # A file that was removed is another matter than one that is damaged.
        return "cannot be read" if run.path.exists() else "missing"
    end = "" if run.status is None else _ENDS[run.status]
    if run.in_use:
        end = "running"
    elif run.cut_short:
        end = "cut short"
    seed = f"seed {run.seed}"
    return f"{seed} · {run.step:,} / {run.num_steps:,}, {end} · {when(run.used)}"


def when(seconds: float) -> str:
    """Return a time since 1970 as a day, and of today as a time of day."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone()
    if moment.date() == datetime.now(UTC).astimezone().date():
        return f"{moment:%H:%M}"
    date = QDate(moment.year, moment.month, moment.day)
    return QLocale().toString(date, QLocale.FormatType.ShortFormat)


class RecentMenu(QMenu):
    """The runs that were last written or opened.

    Attributes:
        run_chosen: File of the run to show.
    """

    run_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle("Open &recent")
        self.setToolTipsVisible(True)
        self.triggered.connect(self._on_triggered)
        self.set_runs(())

    def set_runs(self, runs: "Sequence[RunSummary]") -> None:
        """List runs, the newest first."""
        self.clear()
        for run in runs:
            text = f"{run_name(run)}\t{run_state(run)}".replace("&", "&&")
            action = self.addAction(text)
            action.setObjectName(str(run.path))
            action.setToolTip(plain_tip(run.problem or str(run.path)))
            action.setEnabled(not run.problem)
        if not runs:
            self.addAction("No run yet").setEnabled(False)

    def _on_triggered(self, action: QAction) -> None:
        self.run_chosen.emit(Path(action.objectName()))


def recovered_words(run: "RunSummary") -> str:
    """Return in a line what a crash has left of a run."""
    text = "Recovered: {} to outer step {:,} of {:,}"
    return text.format(run.name, run.step, run.num_steps)
