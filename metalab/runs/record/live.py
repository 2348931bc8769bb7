"""The newest state of a run, between its thread and whoever draws it.

The run's thread appends; any other thread takes an immutable view. Rows are only ever
appended behind what a view can see, so a view is a handful of slices and the lock is held
for microseconds, whatever the length of the run.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import (
    METRICS,
    Curves,
    DiagnosticsTaken,
    Diverged,
    EvaluationDone,
    Event,
    HeldOutTasks,
    RunStarted,
    StepsDone,
)
from metalab.experiment.config_history import ConfigHistory, config_history
from metalab.experiment.edit import Edit
from metalab.runs.record.bookmarks import Bookmarks
from metalab.runs.record.checkpoints import GrowingTrail
from metalab.runs.record.history import (
    EvaluationSeries,
    Failure,
    Origin,
    RunHistory,
    evaluation_row,
    row_width,
)
from metalab.runs.record.status import RunStatus
from metalab.runs.record.tables import DiagnosticTable, GrowingTable
from metalab.runs.record.thinning import RowTable
from metalab.runs.system.compiling import Compiling

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


@dataclass(slots=True)
class _Latest:
    """What is replaced rather than appended."""

    status: RunStatus = RunStatus.STARTING
    device: str = ""
    provider: str = ""
    provider_reason: str = ""
    compiling: Compiling | None = None
    step: int = 0
    held_out_tasks: HeldOutTasks | None = None
    curves: Curves | None = None
    diverged: Diverged | None = None
    failure: Failure | None = None
    stored_step: int = 0
    storage_problem: str | None = None
    edit_problem: str | None = None
    origin: Origin | None = None
    bookmarks: Bookmarks | None = None
    stored_bookmarks: Bookmarks | None = None


class LiveRun:
    """One run as it happens.

    Thread: `on_event`, `set_status`, `show_curves`, `set_stored`, `set_stored_bookmarks`
    and `fail` belong to the run's thread; everything else may be called from any thread.
    """

    def __init__(
        self,
        config: "ExperimentConfig | ConfigHistory",
        *,
        path: Path | None = None,
        past: RunHistory | None = None,
    ) -> None:
        """Start empty, or with the history of a run that goes on.

        Args:
            config: The experiment; that of `past` (`past.configs`) where there is one.
            path: The run file, if the run is kept.
            past: What the run file holds already.
        """
        self._configs = config_history(config)
        self.path = path
        self._lock = threading.Lock()
        self._latest = _Latest()
        self._rows = RowTable(self.config.outer.num_tasks)
        num_points = 1 + self.config.num_shown_steps
        self._evaluations = GrowingTable(row_width(num_points))
        self._diagnostics = DiagnosticTable()
        self._trail = GrowingTrail()
        self._curves_wanted = False
        self._version = 0
        if past is not None:
            self._adopt(past)

    def _adopt(self, past: RunHistory) -> None:
        self._rows.adopt(past)
        self._evaluations.append(past.evaluations.rows())
        self._diagnostics.adopt(past.diagnostics)
        self._latest.step = past.step
        self._latest.curves = past.curves
        self._latest.origin = past.origin
        for state in past.trail.states():
            self._trail.append(state)
        self._latest.stored_step = past.stored_step
        self._latest.bookmarks = past.bookmarks
        if past.bookmarks_kept:
            self._latest.stored_bookmarks = past.bookmarks

    @property
    def configs(self) -> ConfigHistory:
        """The experiment at each outer step, so far."""
        return self._configs

    @property
    def config(self) -> "ExperimentConfig":
        """The experiment as the next outer step is made with it."""
        return self._configs.after(self._latest.step)

    @property
    def version(self) -> int:
        """A number that grows whenever anything changes."""
        with self._lock:
            return self._version

    @property
    def bookmarks(self) -> Bookmarks | None:
        """Bookmarks of a person; None where nobody ever made one."""
        with self._lock:
            return self._latest.bookmarks

    def set_bookmarks(self, marks: Bookmarks) -> None:
        """Take in what a person has marked; the run's thread writes it to the file."""
        with self._lock:
            self._latest.bookmarks = marks
            self._version += 1

    def set_stored_bookmarks(self, marks: Bookmarks | None) -> None:
        """Say which bookmarks are safe in the run file."""
        with self._lock:
            self._latest.stored_bookmarks = marks
            self._version += 1

    @property
    def curves_wanted(self) -> bool:
        """Whether somebody has drawn the last curves and would draw newer ones."""
        with self._lock:
            return self._curves_wanted

    def request_curves(self) -> None:
        """Ask the run's thread for the gallery's curves as they are now."""
        with self._lock:
            self._curves_wanted = True

    def on_event(self, event: Event, seconds: float) -> None:
        """Take in what the trainer said; `seconds` is training time without pauses."""
        with self._lock:
            self._version += 1
            if isinstance(event, RunStarted):
                self._latest.device = event.device
                self._latest.provider = event.provider
                self._latest.held_out_tasks = event.held_out_tasks
                self._latest.step = event.step
            elif isinstance(event, StepsDone):
                self._append_steps(event, seconds)
            elif isinstance(event, EvaluationDone):
                self._keep_evaluation(event)
                self._diagnostics.keep(event.evaluation.step, event.stability)
            elif isinstance(event, DiagnosticsTaken):
                self._diagnostics.keep(event.step, event.values)
            elif isinstance(event, Edit):
                self._configs = self._configs.with_edit(event)
            elif isinstance(event, Diverged):
                self._truncate(event.last_good_step)
                self._latest.diverged = event

    def _append_steps(self, event: StepsDone, seconds: float) -> None:
        self._truncate(event.first_step - 1)
        count = len(event.metrics)
        rows = np.empty((count, 2 + len(METRICS)))
        rows[:, 0] = np.arange(event.first_step, event.first_step + count)
        rows[:, 1] = seconds
        rows[:, 2:] = event.metrics
        self._rows.append(rows)
        self._latest.step = event.last_step
        self._latest.diverged = None

    def _keep_evaluation(self, event: EvaluationDone) -> None:
        # A run that goes on repeats the evaluation of the step it stands at.
        steps = self._evaluations.view()[:, 0]
        self._evaluations.truncate(int(np.searchsorted(steps, event.evaluation.step)))
        self._evaluations.append(evaluation_row(event.evaluation)[None])
        self._trail.append(event.snapshot, event.curves)
        self._latest.curves = event.curves
        self._curves_wanted = False

    def _truncate(self, step: int) -> None:
        """Forget what came after `step`: training went back to it."""
        if step < self._latest.step:
            self._rows.truncate_after(step)
            steps = self._evaluations.view()[:, 0]
            self._evaluations.truncate(int(np.searchsorted(steps, step, side="right")))
            self._diagnostics.truncate_after(step)
            self._trail.truncate_after(step)
            self._configs = self._configs.rewound(step, made=self._latest.step)
            self._latest.step = step

    def set_status(self, status: RunStatus) -> None:
        """Say where the run stands."""
        with self._lock:
            self._latest.status = status
            self._version += 1

    def show_curves(self, curves: Curves) -> None:
        """Replace the curves that are drawn; answers `request_curves`."""
        with self._lock:
            self._latest.curves = curves
            self._curves_wanted = False
            self._version += 1

    def set_stored(self, step: int) -> None:
        """Say up to which outer step the run file is safe."""
        with self._lock:
            self._latest.stored_step = step
            self._version += 1

    def set_provider_reason(self, reason: str) -> None:
        """Say why the run is computed by what computes it."""
        with self._lock:
            self._latest.provider_reason = reason
            self._version += 1

    def set_compiling(self, compiling: Compiling | None) -> None:
        """Say how far the compiler is that the run waits for; None once it does not."""
        with self._lock:
            self._latest.compiling = compiling
            self._latest.status = (
                RunStatus.STARTING if compiling is None else RunStatus.COMPILING
            )
            self._version += 1

    def set_storage_problem(self, message: str | None) -> None:
        """Say why the run file cannot be written; None once it can again."""
        with self._lock:
            if message != self._latest.storage_problem:
                self._latest.storage_problem = message
                self._version += 1

    def set_origin(self, origin: Origin) -> None:
        """Say where the run was forked from another."""
        with self._lock:
            self._latest.origin = origin
            self._version += 1

    def set_edit_problem(self, message: str | None) -> None:
        """Say why a change could not be made; None once one could."""
        with self._lock:
            if message != self._latest.edit_problem:
                self._latest.edit_problem = message
                self._version += 1

    def fail(self, failure: Failure) -> None:
        """Say what ended the run."""
        with self._lock:
            self._latest.status = RunStatus.FAILED
            self._latest.failure = failure
            self._version += 1

    def snapshot(self) -> RunHistory:
        """Return the run as it is now. Cheap: no row is copied."""
        with self._lock:
            rows = self._rows.rows()
            latest = self._latest
            return RunHistory(
                configs=self._configs,
                path=self.path,
                status=latest.status,
                device=latest.device,
                provider=latest.provider,
                provider_reason=latest.provider_reason,
                compiling=latest.compiling,
                step=latest.step,
                steps=rows[:, 0],
                seconds=rows[:, 1],
                metrics=self._rows.metrics(),
                sums=self._rows.sums(),
                thinned=self._rows.thinned,
                solves_worry=self._rows.solves_worry,
                evaluations=EvaluationSeries.from_rows(self._evaluations.view()),
                diagnostics=self._diagnostics.series(),
                trail=self._trail.view(),
                edit_problem=latest.edit_problem,
                origin=latest.origin,
                held_out_tasks=latest.held_out_tasks,
                curves=latest.curves,
                diverged=latest.diverged,
                failure=latest.failure,
                stored_step=latest.stored_step,
                storage_problem=latest.storage_problem,
                bookmarks=latest.bookmarks,
                bookmarks_kept=latest.bookmarks is latest.stored_bookmarks,
            )
