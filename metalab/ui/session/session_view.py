"""Read-only half of a session; `ui.session.session` adds the commands."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import RunManager, can_go_on
from metalab.ui.session.bookmark_job import BookmarkJob
from metalab.ui.session.phase import Notice, Phase, Stake
from metalab.ui.session.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.recent import RunSummary
    from metalab.runs.system.background_job import BackgroundJob


class SessionView(QObject):
    """The state of one window, read only.

    Attributes:
        loaded: Whether the engine can be used.
        config: The experiment in the form; None while it is invalid.
        recent: The runs that were last written or opened, the newest first.
        recovered: A run that a crash has left, until a person says what becomes of it.
        loading_text: What is being loaded, while the engine cannot be used.
        problem: What is wrong with the form; "" for nothing.
        notice: What became of the last command.
    """

    loaded: bool
    config: "ExperimentConfig | None"
    recent: "Sequence[RunSummary]"
    recovered: "RunSummary | None"
    loading_text: str
    problem: str
    notice: "Notice | None"
    _slot: RunManager
    _visits: Visits
    _marking: BookmarkJob
    _copy: "BackgroundJob[RunHistory] | None"

    @property
    def history(self) -> "RunHistory | None":
        """The newest view of the run that is or was."""
        return self._slot.history

    @property
    def training(self) -> bool:
        """Whether ending now would cut a run short."""
        return self._slot.busy

    @property
    def busy(self) -> bool:
        """Whether a thread of the session is at work, or will be."""
        return self._slot.busy or self._slot.reading or self._marking.busy

    @property
    def reading(self) -> bool:
        """Whether a run file is being read."""
        return self._slot.reading

    @property
    def copying(self) -> bool:
        """Whether a copy of a run is being written."""
        return self._copy is not None

    @property
    def phase(self) -> Phase:
        """What can be done just now."""
        if not self.loaded:
            return Phase.LOADING
        if self._slot.active:
            return Phase.PAUSED if self._slot.paused else Phase.RUNNING
        return Phase.STOPPING if self.busy else Phase.IDLE

    @property
    def stake(self) -> Stake:
        """The loss if another run took this one's place: what would end, or be gone."""
        history = self.history
        if history is None:
            return Stake.NOTHING
        if self._slot.active:
            first = 0 if history.origin is None else history.origin.step
            waits_to_begin = self.phase is Phase.PAUSED and history.step == first
            return Stake.NOTHING if waits_to_begin else Stake.RUN
        if self._slot.busy and not history.status.ended:
            # It was asked to stop, and saves itself.
            return Stake.NOTHING
        if history.path is not None and history.stored_step < history.step:
            return Stake.STEPS
        refused = self._marking.refused
        lost = refused is not None and history.bookmarks is refused
        return Stake.BOOKMARKS if lost else Stake.NOTHING

    @property
    def repeats(self) -> bool:
        """Whether "run" would only repeat the run that is shown, which is finished."""
        history = self.history
        return (
            self.phase is Phase.IDLE
            and history is not None
            and history.status is RunStatus.FINISHED
            and self.config == history.next_config
        )

    @property
    def has_run_before(self) -> bool:
        """Whether another run was shown before this one."""
        return bool(self._visits.before)

    @property
    def has_run_after(self) -> bool:
        """Whether another run was come back from."""
        return bool(self._visits.after)

    @property
    def run_before(self) -> "Path | None":
        """The run that was shown before this one, if it still has a file."""
        return next((p for p in self._visits.before if p.is_file()), None)

    @property
    def run_after(self) -> "Path | None":
        """The run that was come back from, if it still has a file."""
        return next((p for p in self._visits.after if p.is_file()), None)

    @property
    def last_run(self) -> "Path | None":
        """The newest run of the list that can be read and is not shown."""
        shown = None if self.history is None else self.history.path
        fitting = (r.path for r in self.recent if not r.problem and r.path != shown)
        return next(fitting, None)

    @property
    def resumable(self) -> bool:
        """Whether "run" goes on with the run that is shown, instead of a new one."""
        history = self.history
        return (
            self.phase is Phase.IDLE
            and history is not None
            and can_go_on(history)
            and self.config == history.next_config
        )


def announced(session: SessionView) -> tuple[object, ...]:
    """Return what buttons, banners and menus depend on."""
    history = session.history
    state: tuple[object, ...] = (
        session.phase,
        session.loading_text,
        session.problem,
        session.config,
        session.reading,
        session.notice,
        session.resumable,
        session.copying,
        session.recent,
        session.recovered,
        session.has_run_before,
        session.has_run_after,
    )
    if history is None:
        return state
    return (
        *state,
        history.status,
        history.compiling,
        history.cut_short,
        history.path,
        history.held_out_tasks is None,
        len(history.trail) == 0,
        history.diverged,
        history.stability_warning,
        history.failure,
        history.storage_problem,
        history.edit_problem,
        history.bookmarks,
    )


Gate = Callable[[str, Callable[[], None]], None]
"""Asks whether the run in view may end: told what for, as in "To …, it is stopped", and
what to do once it may. Without a window, nobody is asked."""


def ask_nobody(_doing: str, then: Callable[[], None]) -> None:
    """Stand in for a question where there is nobody to answer it."""
    then()
