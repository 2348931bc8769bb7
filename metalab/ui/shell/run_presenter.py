"""Passes the moment of a run on to playhead, timeline and workspaces."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.runs.system.background_job import BackgroundJob
from metalab.ui.session.playhead import Playhead
from metalab.ui.session.support_edits import SupportEditController
from metalab.ui.shell.timeline_controller import TimelineController
from metalab.ui.workspaces.base import Workspace

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.session import Session
    from metalab.ui.shell.main_window import MainWindow


class RunPresenter(QObject):
    """Shows a run as the playhead says, and moves the playhead as pages say.

    Attributes:
        run_requested: A page would have the preset run.
        run_file_requested: A page would have a run file chosen, as its signal says.
        report_requested: A page would have a report written on what it shows.
        support_edits: How tasks are adapted to, whose support points were moved.
        timekeeper: What the timeline shows.
        playhead: Where in the run the window stands.
    """

    run_requested = Signal()
    run_file_requested = Signal(str, object)
    report_requested = Signal()

    def __init__(
        self,
        session: "Session",
        window: "MainWindow",
        *,
        example: bool,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._window = window
        self._wants_example = example
        self._job: BackgroundJob[RunHistory] | None = None
        self._example: RunHistory | None = None
        self._history: RunHistory | None = None
        self.playhead = Playhead(self)
        self.support_edits = SupportEditController(self)
        adaptation = window.live.adaptation
        adaptation.points_changed.connect(self.support_edits.set_points)
        self.support_edits.readapted.connect(adaptation.show_readaptation)
        for page in window.workspaces.made:
            self._connect_page(page)
        window.workspaces.page_made.connect(self._connect_page)
        window.workspaces.page_shown.connect(self._on_page_shown)
        window.workspaces.newest_requested.connect(self.playhead.follow)
        self.timekeeper = TimelineController(
            window.timeline, self.playhead, parent=self
        )
        self.playhead.moved.connect(self._on_moved)

    def show(self, history: "RunHistory | None") -> None:
        """Show a run as it is now; without one, the example that comes with metalab.

        Pages that have a use for it keep the example until the run has anything to show:
        on a machine where the kernels are compiled first, that takes its time.
        """
        self._history = history
        waits = history is None or _is_empty(history)
        if waits:
            self._fetch_example()
        pages = self._window.workspaces
        if history is None or (waits and self._example and pages.current.shows_example):
            pages.set_example(on=True)
            self.playhead.set_history(self._example)
        else:
            pages.set_example(on=False)
            self.playhead.set_history(history)

    def is_due(self, history: "RunHistory | None") -> bool:
        """Return whether a run that has not changed has to be shown all the same."""
        return history is None and self._wants_example and not self._showing_example

    def _on_last_step_changed(self) -> None:
        """Take K' from the page that is seen."""
        page = self._window.workspaces.current
        self.playhead.set_last_inner_step(page.last_inner_step)

    def _on_page_shown(self) -> None:
        self._on_last_step_changed()
        if self._history is not None and _is_empty(self._history):
            self.show(self._history)

    @property
    def _showing_example(self) -> bool:
        moment = self.playhead.moment
        return moment is not None and moment.history is self._example

    def _fetch_example(self) -> None:
        """Read the example in the background, once the engine is there."""
        if not self._wants_example:
            return
        if self._job is None and self._session.loaded:
            self._job = BackgroundJob(_example, name="example")
            self._job.start()
        elif self._job is not None and self._job.done and self._example is None:
            self._example = self._job.result()

    def shut_down(self) -> None:
        """Have every thread and timer end; returns at once."""
        self.support_edits.close()
        self.playhead.close()
        self._window.workspaces.shut_down()

    def join(self) -> None:
        """Wait for every thread, after `shut_down`."""
        if self._job is not None:
            self._job.join()
        self.support_edits.join()
        self.playhead.join()
        self._window.workspaces.join()

    def _connect_page(self, page: Workspace) -> None:
        page.run_requested.connect(self.run_requested)
        page.run_file_requested.connect(self.run_file_requested)
        page.experiment_requested.connect(self._on_experiment_requested)
        page.report_requested.connect(self.report_requested)
        page.inner_step_chosen.connect(self.playhead.set_inner_step)
        page.task_chosen.connect(self.playhead.set_task)
        page.outer_step_chosen.connect(self.playhead.go_to)
        page.group_requested.connect(self._on_group_requested)
        page.last_step_changed.connect(self._on_last_step_changed)
        page.told.connect(self._window.toasts.say)
        page.untold.connect(self._window.toasts.take_back)

    def _on_experiment_requested(self, config: "ExperimentConfig") -> None:
        self._session.put(lambda: config, "The experiment cannot be used")

    def _on_moved(self) -> None:
        """Show where the playhead stands now, without waiting for the clock."""
        moment = self.playhead.moment
        self._window.workspaces.show_moment(moment)
        self.timekeeper.show_moment(None if self._showing_example else moment)
        self.support_edits.follow(None if moment is None else moment.shown)

    def _on_group_requested(self, name: str) -> None:
        self._window.show_experiment(shown=True)
        form = self._window.experiment.form
        if form is not None:
            form.reveal(name)


def _is_empty(history: "RunHistory") -> bool:
    """Return whether a run has nothing to show yet, and is about to."""
    return history.held_out_tasks is None and not history.status.ended


def _example() -> "RunHistory":
    # Not before the engine is there, and not before the first frame.
    from metalab.ui.learn.trained_start import trained_start  # noqa: PLC0415

    return trained_start()
