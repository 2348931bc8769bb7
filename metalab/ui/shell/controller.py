"""The composition: which parts a window has, and who tells whom."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from metalab.catalog.defaults import DEFAULT_PRESET
from metalab.catalog.plugin_files import VARIABLE
from metalab.core.errors import UserError
from metalab.runs.running.manager import RunManager
from metalab.runs.system.faults import FaultLog
from metalab.runs.system.preload import Preload
from metalab.ui.actions.action_set import ActionSet
from metalab.ui.actions.enablement import why_not_open, why_not_run
from metalab.ui.actions.key_guard import KeyGuard
from metalab.ui.actions.table import SPECS
from metalab.ui.session import engine_access as engine
from metalab.ui.session.basket import Basket
from metalab.ui.session.frame_clock import FrameClock
from metalab.ui.session.notices import NEW_SEED
from metalab.ui.session.phase import Phase
from metalab.ui.session.session import Session
from metalab.ui.shell.banners import HALVE, RECOVER, WITHOUT_KERNELS, banner_for
from metalab.ui.shell.closing import Closer
from metalab.ui.shell.collector import CycleCollector
from metalab.ui.shell.commands import Commands
from metalab.ui.shell.first_paint import FirstPaint
from metalab.ui.shell.layout import layout_settings
from metalab.ui.shell.lessons_controller import LessonsController
from metalab.ui.shell.main_window import MainWindow
from metalab.ui.shell.out_of_sight import EndNotice
from metalab.ui.shell.plugins import PluginKeeper, name_remembered
from metalab.ui.shell.preferences import PreferenceStore
from metalab.ui.shell.problems import ProblemsPanel
from metalab.ui.shell.replacing import Replacing
from metalab.ui.shell.returning import Returning
from metalab.ui.shell.run_presenter import RunPresenter
from metalab.ui.style.theme import THEMES, Theme
from metalab.ui.style.theming import apply_theme
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.live.workspace import LiveWorkspace

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.history import Failure, RunHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOptions:
    """Options of a window at its start.

    Attributes:
        preset: Preset in the form at first; None takes the last one, or the default.
        file: A run, a lesson or an experiment to open.
        keep_runs: Whether runs are written to files.
        welcome: Whether the very first window begins with the Start page.
        example: Whether pages have something to show before there is a run.
    """

    preset: str | None = None
    file: Path | None = None
    keep_runs: bool = True
    welcome: bool = False
    example: bool = False


class Controller(QObject):
    """One window with everything behind it.

    Attributes:
        faults: Errors from any thread.
        preferences: What is remembered.
        session: The experiment and the run.
        basket: The runs put aside to compare, which every page is handed.
        actions: What can be done.
        commands: What that does.
        window: The window.
        playhead: Where in the run the window stands.
        teaching: Start page, tour and lessons.
        stage: What of a run is shown where.
        clock: When the window looks at the run.
        collector: Python's cycle collection.
        closer: How it closes.
        replacing: What asks before a run in view makes room for another.
        returning: The ways back to runs.
        end_notice: What tells of the end of a run that is out of sight.
        plugins: What adds files of a person's own code.
    """

    def __init__(
        self,
        app: QApplication,
        options: WindowOptions,
        *,
        faults: FaultLog | None = None,
        preload: Preload | None = None,
        slot: RunManager | None = None,
    ) -> None:
        """Build the window; `start` shows it.

        Args:
            app: The application, which gets the theme.
            options: How to begin.
            faults: Errors from any thread; made if None.
            preload: What imports the engine; made if None.
            slot: Room for the run; made if None.
        """
        super().__init__()
        self._app = app
        self._options = options
        self._preload = Preload() if preload is None else preload
        self._gave_way = False
        self._loading = True
        self._first_paint: FirstPaint | None = None
        self._drawn: RunHistory | None = None
        self._named: ExperimentConfig | None = None
        self._reported: Failure | None = None
        self.faults = FaultLog() if faults is None else faults
        self.preferences = PreferenceStore(self.faults)
        given = os.environ.get(VARIABLE)
        name_remembered(self.preferences.current.plugins, self.faults)
        apply_theme(app, self.theme)
        self.session = Session(
            self.faults, slot=slot, keep_runs=options.keep_runs, parent=self
        )
        self.basket = Basket(self)
        self.closer = Closer(self.session, asks=self._asks, parent=self)
        self.actions = ActionSet(self.session, parent=self)
        self.window = MainWindow(
            self.actions,
            LiveWorkspace(),
            ProblemsPanel(self.faults),
            settings=layout_settings(),
            may_close=self.closer.may_close,
        )
        self.stage = RunPresenter(
            self.session, self.window, example=options.example, parent=self
        )
        self.playhead = self.stage.playhead
        self.teaching = LessonsController(
            self.session, self.window, self.stage, parent=self
        )
        self.clock = FrameClock(self.draw, parent=self)
        self.collector = CycleCollector(self)
        self.commands = Commands(
            self.session,
            self.window,
            self.preferences,
            self.playhead,
            self.teaching,
            parent=self,
        )
        self.replacing = Replacing(
            self.session, self.window, asks=self._asks_to_replace, parent=self
        )
        self.returning = Returning(
            self.session,
            self.window,
            self.preferences,
            self.actions,
            self.faults,
            parent=self,
        )
        self.end_notice = EndNotice(self.session, self.window)
        self.plugins = PluginKeeper(
            self.window, self.preferences, given=given, parent=self
        )
        self._keys = KeyGuard(app, steps=self._can_step, parent=self)
        self._connect()
        self._restore()
        self._show_asking()
        self._on_state_changed()

    @property
    def theme(self) -> Theme:
        """The theme that was chosen last."""
        return THEMES[self.preferences.current.theme]

    def _restore(self) -> None:
        """Arrange the window as it was left."""
        remembered = self.preferences.current.workspaces
        self.window.workspaces.restore_state(remembered)
        self.window.experiment.set_folds(self.preferences.current.folds)
        if self._options.welcome and not remembered:
            self.window.workspaces.show_page("start")
        self.window.toolbar.show_step_size(self.preferences.current.step_size)

    def _connect(self) -> None:
        self.commands.connect_to(self.actions)
        self.commands.theme_toggled.connect(self._on_theme_toggled)
        self.commands.plugin_wanted.connect(self.plugins.choose)
        self.plugins.refused.connect(self._on_plugin_refused)
        self.plugins.restart_wanted.connect(self.window.close)
        self.closer.stayed.connect(self.plugins.stay)
        self.session.state_changed.connect(self._on_state_changed)
        self.session.config_replaced.connect(self._on_config_replaced)
        self.session.set_gate(self.replacing.ask)
        self.closer.remembered.connect(self._on_remembered)
        self.replacing.remembered.connect(self._on_replacing_remembered)
        window = self.window
        for page in window.workspaces.made:
            self._on_page_made(page)
        window.workspaces.page_made.connect(self._on_page_made)
        self.stage.run_requested.connect(self.actions["toggle_run"].trigger)
        self.stage.run_file_requested.connect(self.commands.ask_for_run)
        self.stage.report_requested.connect(self.commands.report)
        self.playhead.failed.connect(self.faults.add_error)
        self._connect_ways_back()
        window.presets.preset_chosen.connect(self._on_preset_chosen)
        window.toolbar.step_chosen.connect(self._on_step_chosen)
        window.banners.button_clicked.connect(self._on_banner_clicked)
        window.banners.dismissed.connect(self._on_banner_dismissed)
        window.problems.count_changed.connect(window.status.show_problems)
        # Those that there were before the window: how the last one ended, for example.
        window.status.show_problems(window.problems.count)
        window.closed.connect(self._on_closed)

    def _connect_ways_back(self) -> None:
        window, session = self.window, self.session
        self.stage.timekeeper.bookmarks_changed.connect(session.keep_bookmarks)
        self.stage.timekeeper.refused.connect(self._on_mark_refused)
        window.recent.run_chosen.connect(self.commands.open_path)
        window.file_dropped.connect(self._on_file_dropped)
        window.tabbed.connect(self._keys.reach)
        window.key_left_over.connect(self._keys.take_letter)
        window.workspaces.page_shown.connect(self._show_banner)
        self._keys.held.connect(self._on_typing_held)
        self.teaching.run_chosen.connect(self.commands.open_path)
        self.teaching.recovery_chosen.connect(self.returning.recover)
        self.teaching.lesson_saved.connect(self._on_lesson_saved)
        self._app.focusChanged.connect(self._on_focus_changed)

    def start(self) -> None:
        """Show the window, then import the engine behind it."""
        self.draw()
        # The first frame does not share the interpreter with the import of the engine.
        self._first_paint = FirstPaint(self.window, self._on_first_paint, self)
        self.window.show()
        # Not before it is shown: Qt would take the first box in line instead.
        self.window.workspaces.current.setFocus()
        self.clock.start()

    def _on_first_paint(self) -> None:
        self.collector.start()
        self._preload.start()

    def draw(self) -> bool:
        """Hand what is new to the views; return whether anything was.

        Called by the frame clock.
        """
        # One frame is left out, not two in a row: the run goes on under a long drag.
        self._gave_way = (
            not self._gave_way and self.window.workspaces.current.awaits_curves
        )
        if self._gave_way:
            return False
        seen = self.window.seen
        self.clock.set_hidden(hidden=not seen)
        if self._loading:
            self._follow_preload(self._preload)
        self.session.poll()
        self.window.problems.poll()
        self.returning.poll()
        history = self.session.history
        self.window.status.show_history(self.session.phase, history)
        if not seen or not self.window.workspaces.isVisible():
            return False
        self.session.request_curves()
        if history is self._drawn and not self.stage.is_due(history):
            return False
        self._drawn = history
        self.stage.show(history)
        return True

    def close(self) -> None:
        """End every thread and timer."""
        if self._first_paint is not None:
            self._first_paint.cancel()
        self.clock.stop()
        self.collector.stop()
        self.stage.shut_down()
        self.closer.finish()
        self.end_notice.put_away()
        self._preload.cancel()
        # Each was asked to end before the first is waited for.
        self.stage.join()
        self.returning.recent.join()
        self._preload.join()

    def _asks(self) -> bool:
        return not self.preferences.current.close_without_asking

    def _asks_to_replace(self) -> bool:
        return not self.preferences.current.replace_without_asking

    def _can_step(self) -> bool:
        in_progress = self.session.phase in (Phase.RUNNING, Phase.PAUSED)
        return in_progress or self.session.resumable

    def _follow_preload(self, preload: Preload) -> None:
        if not preload.done:
            text = f"Loading {preload.stage}…"
            self.session.set_loading(text)
            return
        self._loading = False
        try:
            preload.check()
        except Exception as error:  # noqa: BLE001 - shown in the window
            self.faults.add_error(error)
            text = f"The engine cannot be loaded: {error}"
            self.session.set_loading(text)
            self.window.show_problems(shown=True)
        else:
            self._begin()

    def _begin(self) -> None:
        self.collector.settle()
        for problem in engine.plugin_problems():
            self.faults.add(problem)
        self.window.presets.set_presets(engine.all_presets())
        self.session.set_loading()
        preset = self._options.preset or self.preferences.current.preset
        try:
            self.session.open_preset(preset or DEFAULT_PRESET)
        except ValueError as error:
            self.faults.add(str(error))
            self.session.open_preset(DEFAULT_PRESET)
        if self._options.file is not None:
            self.commands.open_path(self._options.file)

    def _on_config_replaced(
        self, config: "ExperimentConfig", reference: "ExperimentConfig"
    ) -> None:
        self.window.presets.mark(reference.name)
        form = self.window.experiment.form
        if form is not None:
            form.set_config(config, reference=reference)
            return
        # Its modules bring the engine along.
        from metalab.ui.forms.experiment_form import (  # noqa: PLC0415
            ExperimentForm,
        )

        form = ExperimentForm(config, reference=reference)
        form.config_changed.connect(self.session.set_config)
        form.see_requested.connect(self.window.workspaces.show_page)
        form.sweep_requested.connect(self.commands.sweep_setting)
        form.differences_requested.connect(self.commands.differences)
        form.validity_changed.connect(self._on_validity_changed)
        self.window.experiment.show_form(form)

    def _on_validity_changed(self, valid: bool) -> None:  # noqa: FBT001 - Qt's signal
        form = self.window.experiment.form
        if form is None:
            return
        config = form.config()
        if valid and config is not None:
            self.session.set_config(config)
        else:
            self.session.set_invalid(str(form.problems()[0]))

    def _on_state_changed(self) -> None:
        session, window = self.session, self.window
        self._report_failure()
        self._show_banner()
        window.experiment.skeleton.show_text(session.loading_text)
        window.workspaces.set_why_not(why_not_run(session))
        window.workspaces.show_config(session.config)
        form = window.experiment.form
        if form is not None:
            form.set_locked(session.training)
        config = session.config
        if config is not None and config is not self._named:
            self._named = config
            self._name(config)

    def _show_banner(self) -> None:
        """Show what needs a decision, unless the page in front says the same."""
        spec = banner_for(self.session)
        recovered = spec is not None and spec.offers_recovery
        on_page = self.window.workspaces.current_key == "start"
        self.window.banners.show_banner(None if recovered and on_page else spec)

    def _name(self, config: "ExperimentConfig") -> None:
        """Say in words what the form describes."""
        window = self.window
        window.toolbar.chip.show_recipe(engine.recipe(config))
        name = engine.name(config)
        window.setWindowTitle(f"{name} \N{EM DASH} metalab")
        changed = "With the changes in the form"
        window.live.set_preset(*(engine.preset_source(config) or (name, changed)))

    def _report_failure(self) -> None:
        """Put what ended a run among the problems, once."""
        history = self.session.history
        failure = None if history is None else history.failure
        if failure is not None and failure is not self._reported:
            self.faults.add(failure.message, failure.traceback)
        self._reported = failure

    def _on_page_made(self, page: Workspace) -> None:
        page.set_basket(self.basket)
        page.run_wanted.connect(self._on_run_wanted)

    def _on_run_wanted(self, path: "Path") -> None:
        """Open a run of a list, and show it."""
        if not why_not_open(self.session):
            self.window.workspaces.show_page("live")
            self.commands.open_path(path)

    def _on_preset_chosen(self, name: str) -> None:
        self.session.open_preset(name)
        self.preferences.change("preset", name)

    def _on_step_chosen(self, num_steps: int) -> None:
        self.preferences.change("step_size", num_steps)

    def _on_theme_toggled(self) -> None:
        self.preferences.change("theme", "light" if self.theme.dark else "dark")
        apply_theme(self._app, self.theme.scaled(self.window.present.scale))

    def _on_banner_clicked(self, key: str) -> None:
        session = self.session
        plain = {
            "details": self._show_details,
            "retry": session.retry,
            "go_on_anyway": session.go_on_anyway,
            WITHOUT_KERNELS: session.start_without_kernels,
            NEW_SEED: partial(session.start, new_seed=True),
        }
        if key in plain:
            plain[key]()
        elif key.startswith(HALVE):
            session.halve(key.removeprefix(HALVE))
        elif key.startswith(RECOVER):
            self.returning.recover(key)
        elif key in SPECS:
            self.actions[key].trigger()

    def _show_details(self) -> None:
        self.window.show_problems(shown=True)
        self.window.problems.reveal_newest()

    def _on_banner_dismissed(self) -> None:
        """Forget what was said; a run that a crash has left is not offered again."""
        run = self.session.recovered
        if self.session.notice is None and run is not None:
            self.returning.recent.settle(run.path)
            self.session.set_recovered(None)
        self.session.dismiss_notice()

    def _on_plugin_refused(self, error: Exception) -> None:
        self.session.tell("The plug-in cannot be added", error)
        self.faults.add(str(error))

    def _on_mark_refused(self, text: str) -> None:
        self.session.tell("This step cannot be bookmarked", UserError(text))

    def _on_file_dropped(self, path: "Path") -> None:
        if not why_not_open(self.session):
            self.commands.open_path(path)

    def _on_typing_held(self) -> None:
        text = "No field takes what is typed here: click one first."
        self.window.toasts.say(text)

    def _on_lesson_saved(self, path: "Path") -> None:
        """Say where its text is written: the window has no editor for it."""
        told = "The lesson was saved. Its title and text are edited in {}"
        folder = QUrl.fromLocalFile(str(path.parent))
        show = partial(QDesktopServices.openUrl, folder)
        self.window.toasts.say(told.format(path), "Open folder", show)

    def _on_focus_changed(self, _old: object, new: object) -> None:
        if new is not None:
            self.end_notice.put_away()

    def _on_remembered(self) -> None:
        self.preferences.change("close_without_asking", value=True)
        self._show_asking()

    def _on_replacing_remembered(self) -> None:
        self.preferences.change("replace_without_asking", value=True)
        self._show_asking()

    def _show_asking(self) -> None:
        """Tick the menu's line if every question is asked."""
        current = self.preferences.current
        asks = not (current.close_without_asking or current.replace_without_asking)
        self.actions["ask_first"].setChecked(asks)

    def _on_closed(self) -> None:
        self.commands.close_dialogs()
        self.preferences.change("workspaces", self.window.workspaces.save_state())
        self.preferences.change("folds", dict(self.window.experiment.folds))
        self.clock.stop()
        history = self.session.history
        self.plugins.start_again(None if history is None else history.path)
