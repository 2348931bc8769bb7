"""Runs to come back to, looked at in the background."""

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.runs.system.background_job import BackgroundJob
from metalab.ui.session import engine_access as engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.runs.record.recent import RunSummary
    from metalab.ui.shell.preferences import PreferenceStore

MOST = 12
MOST_OPENED = 30
"""Files elsewhere than in the folder of runs that are remembered."""

MOST_SETTLED = 50


class RecentRuns(QObject):
    """Lists the runs of this computer, and notices what a crash has left.

    Attributes:
        listed: There is another list: the runs, the newest first.
        recovered: A run that a crash has left, once, with the first list.
    """

    listed = Signal(object)
    recovered = Signal(object)

    def __init__(self, preferences: "PreferenceStore", *, parent: QObject) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._job: BackgroundJob[Sequence[RunSummary]] | None = None
        self._again = False
        self._first = True

    def look(self) -> None:
        """Look again; what is being looked at now may be older than that."""
        if self._job is not None:
            self._again = True
            return
        opened = {
            Path(entry.path): entry.when
            for entry in self._preferences.current.opened_files
        }
        work = partial(engine.recent_runs, opened, most=MOST)
        self._job = BackgroundJob(work, name="recent runs")
        self._job.start()

    def poll(self) -> None:
        """Take in what was found. Called by the frame clock.

        Raises:
            Exception: A defect ended the look; files that cannot be read do not.
        """
        job = self._job
        if job is None or not job.done:
            return
        self._job = None
        if self._again:
            self._again = False
            self.look()
        runs = job.result()
        self.listed.emit(runs)
        if self._first:
            self._first = False
            self._notice(runs)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.join(timeout)

    def remember(self, path: Path) -> None:
        """Keep that a file was opened."""
        name = str(path.absolute())
        before = self._preferences.current.opened_files
        others = [known for known in before if known.path != name]
        kept = [{"path": name, "when": time.time()}, *others][:MOST_OPENED]
        # A name that is no line of text cannot be kept, and is not worth a word.
        with contextlib.suppress(ValueError):
            self._preferences.change("opened_files", tuple(kept))

    def settle(self, path: Path) -> None:
        """Keep that a person has said what becomes of a run that a crash has left."""
        before = self._preferences.current.settled
        kept = [str(path), *(known for known in before if known != str(path))]
        with contextlib.suppress(ValueError):
            self._preferences.change("settled", tuple(kept[:MOST_SETTLED]))

    def _notice(self, runs: "Sequence[RunSummary]") -> None:
        settled = self._preferences.current.settled
        left = (r for r in runs if r.recoverable and str(r.path) not in settled)
        found = next(left, None)
        if found is not None:
            self.recovered.emit(found)
