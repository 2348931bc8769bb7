"""Coming back to runs: the list of them, what a crash has left, what was left behind."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFile, QObject

from metalab.core.errors import UserError
from metalab.ui.session import engine_access as engine
from metalab.ui.session.phase import Notice
from metalab.ui.shell.recent_runs import RecentRuns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.recent import RunSummary
    from metalab.runs.system.faults import FaultLog
    from metalab.ui.actions.action_set import ActionSet
    from metalab.ui.session.session import Session
    from metalab.ui.shell.main_window import MainWindow
    from metalab.ui.shell.preferences import PreferenceStore


class Returning(QObject):
    """Keeps every way back to a run in step with the session.

    Attributes:
        recent: Which runs there are.
    """

    def __init__(
        self,
        session: "Session",
        window: "MainWindow",
        preferences: "PreferenceStore",
        actions: "ActionSet",
        faults: "FaultLog",
        *,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._window = window
        self._actions = actions
        self._faults = faults
        self._left: ExperimentConfig | None = None
        self._way_back = ""
        self._listed: tuple[object, ...] = ()
        self.recent = RecentRuns(preferences, parent=self)
        self.recent.listed.connect(self._on_listed)
        self.recent.recovered.connect(session.set_recovered)
        window.recent.aboutToShow.connect(self.recent.look)
        session.run_shown.connect(self._on_run_shown)
        session.run_left.connect(self._on_run_left)
        session.config_left.connect(self._on_config_left)
        session.state_changed.connect(self._on_state_changed)

    def poll(self) -> None:
        """Take in what was found. Called by the frame clock."""
        try:
            self.recent.poll()
        except Exception as error:  # noqa: BLE001 - a list is no reason for the window to stop
            self._faults.add_error(error)

    def recover(self, key: str) -> None:
        """Do with what a crash has left what a person has chosen: key of a button."""
        run = self._session.recovered
        if run is None:
            return
        self._session.set_recovered(None)
        self.recent.settle(run.path)
        if key == "recover_discard":
            self._discard(run)
        else:
            self._session.open_file(run.path, go_on=key == "recover_resume")

    def _discard(self, run: "RunSummary") -> None:
        """Put a run file where a person can still find it."""
        moved, place = _to_bin(run.path)
        if moved:
            where = f"It is in the bin: {place}"
            self._session.say(Notice("The run was discarded", where, "accent"))
        else:
            error = UserError(f"{run.path} stays where it is.")
            self._session.tell("There is no bin for this file", error)
        self.recent.look()

    def _on_listed(self, runs: "Sequence[RunSummary]") -> None:
        self._session.set_recent(runs)
        self._window.recent.set_runs(runs)

    def _on_state_changed(self) -> None:
        """Look again when a run has begun, has ended or was opened."""
        history = self._session.history
        seen = (
            self._session.loaded,
            None if history is None else (history.path, history.status.ended),
        )
        if seen != self._listed and self._session.loaded:
            self._listed = seen
            self.recent.look()

    def _on_run_shown(self) -> None:
        """Bring a page to the front that shows runs."""
        run = self._session.recovered
        history = self._session.history
        # Of the run that was in view before, whichever that is now.
        self._window.toasts.take_back(self._way_back)
        if history is not None and history.path is not None:
            if run is not None and run.path == history.path:
                self._session.set_recovered(None)
            if history.status.ended:
                self.recent.remember(history.path)
        if self._window.workspaces.current_key == "start":
            self._window.workspaces.show_page("live")

    def _on_run_left(self, history: "RunHistory") -> None:
        text = "{} is kept, at outer step {:,} ({})".format(
            history.name,
            history.step,
            self._actions["run_back"].shortcut().toString(),
        )
        back = self._actions["run_back"]
        self._way_back = text
        self._window.toasts.say(text, "Back to it", back.trigger)

    def _on_config_left(self, config: "ExperimentConfig") -> None:
        self._left = config
        text = f"Changes in the form were replaced: {engine.name(config)}"
        self._window.toasts.say(text, "Put them back", self._put_back)

    def _put_back(self) -> None:
        config, self._left = self._left, None
        if config is not None:
            self._session.replace(config)


def _to_bin(path: Path) -> tuple[bool, str]:
    """Move a file to the desktop's bin; return whether it is there, and where."""
    file = QFile(str(path))
    moved = file.moveToTrash()
    return moved, file.fileName() if moved else ""
