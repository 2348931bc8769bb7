"""Position of the window in a run: an outer step, an inner step, a task."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from metalab.runs.services.state_replayer import (
    ReplayedState,
    RewindRequest,
    StateReplayer,
    rewind_request,
)
from metalab.ui.session.moment import Moment
from metalab.ui.session.thread_signal import ThreadSignal

if TYPE_CHECKING:
    from metalab.engine.events import Checkpoint
    from metalab.runs.record.history import RunHistory

REST_MS = 60
"""How long the playhead stands still before the exact state is computed."""


class Playhead(QObject):
    """Follows the newest state of a run, or stands at an outer step of it.

    Standing, it shows the nearest state that was kept at once, and the exact one as soon
    as that has been recomputed beside the run.

    Attributes:
        moved: `moment` or `shown` are others than before.
        failed: Why an outer step could not be visited.
    """

    moved = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answered = ThreadSignal(self, self._take)
        self._replayer = self._answered.add_service(StateReplayer)
        self._history: RunHistory | None = None
        self._visit: ReplayedState | None = None
        self._cut: tuple[RunHistory, ReplayedState, RunHistory] | None = None
        self._wanted: int | None = None
        self._awaited: int | None = None
        self._inner_step = 0
        self._last_step: int | None = None
        self._task = 0
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)

    @property
    def following(self) -> bool:
        """Whether it shows the newest state there is."""
        return self._wanted is None

    @property
    def inner_step(self) -> int:
        """The inner step that is emphasised; beyond K', it is K'."""
        return min(self._inner_step, self.last_inner_step)

    @property
    def last_inner_step(self) -> int:
        """K': what a page has chosen, or what the run shows."""
        if self._last_step is not None or self._history is None:
            return self._last_step or 0
        step = self._history.step if self._wanted is None else self._wanted
        return self._history.config_at(step).num_shown_steps

    @property
    def task(self) -> int:
        """The held-out task that is shown, counted from 0."""
        return self._task

    @property
    def shown(self) -> "RunHistory | None":
        """The run as it was known at the outer step where the playhead stands."""
        history, visit = self._history, self._visit
        if history is None or self._wanted is None or visit is None:
            return history
        cut = self._cut
        # By identity: histories hold arrays, which do not compare to one truth.
        if cut is None or cut[0] is not history or cut[1] is not visit:
            then = history.at(visit.state.step, curves=visit.curves)
            self._cut = cut = (history, visit, then)
        return cut[2]

    @property
    def state(self) -> "Checkpoint | None":
        """The training state where it stands; following, the newest that is kept."""
        if self._wanted is not None and self._visit is not None:
            return self._visit.state
        if self._history is None:
            return None
        return self._history.trail.nearest(self._history.step)

    @property
    def moment(self) -> Moment | None:
        """What workspaces show; None without a run."""
        history = self._history
        if history is None:
            return None
        if self._wanted is not None and self._visit is not None:
            step, phi = self._visit.state.step, self._visit.state.phi
            wanted = self._wanted
        else:
            curves = history.curves
            phi = None if curves is None else curves.phi
            step = 0 if curves is None else curves.step
            wanted = step if self._wanted is None else self._wanted
        return Moment(
            history=history,
            shown=self.shown or history,
            step=step,
            phi=phi,
            wanted_step=wanted,
            inner_step=self.inner_step,
            task=self._task,
            following=self.following,
        )

    def set_history(self, history: "RunHistory | None") -> None:
        """Take in the run as it is now; another run is followed."""
        before, self._history = self._history, history
        if history is before:
            return
        if history is None or before is None or not history.is_same_run(before):
            self._forget()
            self._inner_step = 0 if history is None else history.num_inner_steps
        elif self._wanted is not None and self._wanted > history.step:
            # A run that diverged goes back: nothing stands behind its end.
            self.go_to(history.step)
            return
        self.moved.emit()
        self._arrive()

    def go_to(self, step: int) -> None:
        """Stand at an outer step; beyond what there is, at the last one."""
        history = self._history
        if history is None or len(history.trail) == 0:
            return
        self._awaited = None
        first = int(history.trail.steps[0])
        self._wanted = min(max(step, first), history.step)
        near = history.trail.nearest(self._wanted)
        exact = rewind_request(history, self._wanted)
        if near is None or exact is None:
            self._wanted = None
            return
        if self._visit is None or self._visit.state.step != self._wanted:
            self._visit_near(history, near, exact)
        self.moved.emit()

    def _visit_near(
        self, history: "RunHistory", near: "Checkpoint", exact: RewindRequest
    ) -> None:
        """Show what lies next to the wanted step at once, and have it made exact."""
        drawn = history.trail.nearest_drawn(exact.step)
        if drawn is None:
            self._replayer.request(replace(exact, state=near, step=near.step))
            return
        self._replayer.cancel()
        state, curves = drawn
        request = replace(exact, state=state, step=state.step)
        self._visit = ReplayedState(request=request, state=state, curves=curves)
        if state.step == exact.step:
            self._rest.stop()
        else:
            # Not while the playhead is on its way: nobody sees it, and the run is slowed.
            self._rest.start()

    def _on_rest(self) -> None:
        if self._wanted is not None:
            self._ask_exactly(self._wanted)

    def await_step(self, step: int) -> None:
        """Stand at an outer step as soon as the run has come there."""
        self._awaited = step
        self._arrive()

    def _arrive(self) -> None:
        awaited, history = self._awaited, self._history
        if awaited is None or history is None or history.step < awaited:
            return
        self._awaited = None
        self.go_to(awaited)

    def follow(self) -> None:
        """Follow the newest state again."""
        self._awaited = None
        if not self.following:
            self._forget()
            self.moved.emit()

    def set_inner_step(self, step: int) -> None:
        """Emphasise an inner step; beyond K', the last one."""
        held = min(step, self.last_inner_step)
        if held != self.inner_step and held >= 0:
            self._inner_step = held
            self.moved.emit()

    def set_last_inner_step(self, last: int | None) -> None:
        """Have another K'; None for that of the run."""
        if last != self._last_step:
            self._last_step = last
            self.moved.emit()

    def set_task(self, task: int) -> None:
        """Show another held-out task."""
        if task != self._task and task >= 0:
            self._task = task
            self.moved.emit()

    def close(self) -> None:
        """Have the thread end; returns at once."""
        self._rest.stop()
        self._answered.close()

    def join(self) -> None:
        """Wait for the thread, after `close`."""
        self._answered.join()

    def _forget(self) -> None:
        self._wanted = self._visit = self._cut = None
        self._rest.stop()
        self._replayer.cancel()

    def _take(self) -> None:
        try:
            visit = self._replayer.take()
        except Exception as error:  # noqa: BLE001 - told; the window goes on
            self.failed.emit(error)
            return
        if visit is not None and self._wanted is not None:
            self._visit = visit
            if visit.state.step != self._wanted:
                self._ask_exactly(self._wanted)
            self.moved.emit()

    def _ask_exactly(self, step: int) -> None:
        assert self._history is not None, "a visit is of a run"
        request: RewindRequest | None = rewind_request(self._history, step)
        if request is not None:
            self._replayer.request(request)
