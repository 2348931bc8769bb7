"""Methods of the actions: one for each key of the table."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog

from metalab.core.paths import TABLE_SUFFIXES
from metalab.runs.system.home import RUN_SUFFIX, file_stem, runs_folder
from metalab.ui.actions.action_set import ActionSet
from metalab.ui.actions.lines import EXPERIMENT_SUFFIX, LESSON_SUFFIX, LESSON_TITLES
from metalab.ui.actions.shortcuts import ShortcutsDialog
from metalab.ui.actions.table import ACTIONS
from metalab.ui.session import engine_access as engine
from metalab.ui.timeline.player import INNER, OUTER
from metalab.ui.widgets.dialogs import AboutDialog
from metalab.ui.workspaces.registry import WORKSPACES

if TYPE_CHECKING:
    from metalab.figures.base import FigureChoices
    from metalab.tasks.table_view import TableChoice
    from metalab.ui.export.dialog import Seen
    from metalab.ui.export.report import ReportWriter
    from metalab.ui.session.moment import Moment
    from metalab.ui.session.playhead import Playhead
    from metalab.ui.session.session import Session
    from metalab.ui.shell.lessons_controller import LessonsController
    from metalab.ui.shell.main_window import MainWindow
    from metalab.ui.shell.preferences import PreferenceStore


class Commands(QObject):
    """Carries out actions. Nothing here decides whether one is allowed: the table does.

    Attributes:
        theme_toggled: The other theme is wanted.
        plugin_wanted: A plug-in is to be added.
    """

    theme_toggled = Signal()
    plugin_wanted = Signal()

    def __init__(
        self,
        session: "Session",
        window: "MainWindow",
        preferences: "PreferenceStore",
        playhead: "Playhead",
        teaching: "LessonsController",
        *,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._window = window
        self._preferences = preferences
        self._playhead = playhead
        self._teaching = teaching
        self._reports: ReportWriter | None = None
        teaching.open_requested.connect(self.open_file)
        teaching.data_requested.connect(self.open_data)
        recent = preferences.current.recent_commands
        window.command_palette.set_recent(recent)
        window.command_palette.used.connect(self._on_palette_used)

    def connect_to(self, actions: ActionSet) -> None:
        """Connect each action with its method."""
        for number in range(len(LESSON_TITLES)):
            triggered = actions[f"lesson_{number + 1}"].triggered
            triggered.connect(partial(self._teaching.start_own_lesson, number))
        pages = {f"page_{spec.key}": spec.key for spec in WORKSPACES}
        for spec in ACTIONS:
            triggered = actions[spec.key].triggered
            if spec.key in pages:
                triggered.connect(partial(self.show_page, pages[spec.key]))
            elif not spec.key.startswith("lesson_"):
                triggered.connect(getattr(self, spec.key))

    def show_page(self, key: str) -> None:
        """Bring a workspace to the front."""
        self._window.workspaces.show_page(key)

    def sweep_setting(self, path: str, values: str) -> None:
        """Bring the Sweep page to the front, with a setting as a further axis."""
        page: Any = self._window.workspaces.page("sweep")
        self._window.workspaces.show_page("sweep")
        page.add_axis(path, values)

    def fork(self) -> None:
        """Begin a run where the playhead stands."""
        self._take_in_typing()
        state = self._playhead.state
        if state is not None:
            self._session.fork(state)

    def follow(self) -> None:
        """Follow the newest state."""
        self._playhead.follow()

    def play_inner(self) -> None:
        """Play the inner steps, or stop."""
        self._window.timeline.toggle_play(INNER)

    def play_outer(self) -> None:
        """Play the outer steps, or stop."""
        self._window.timeline.toggle_play(OUTER)

    def tour(self) -> None:
        """Begin the tour."""
        self._teaching.start_tour()

    def open_lesson(self) -> None:
        """Ask for a lesson's file."""
        dialog = QFileDialog(self._window, "Open lesson")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(f"Lessons (*{LESSON_SUFFIX})")
        dialog.fileSelected.connect(self._on_lesson_selected)
        _open(dialog)

    def save_lesson(self) -> None:
        """Ask where to write a lesson."""
        dialog = QFileDialog(self._window, "Save lesson")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(LESSON_SUFFIX.removeprefix("."))
        dialog.setNameFilter(f"Lessons (*{LESSON_SUFFIX})")
        dialog.fileSelected.connect(self._on_lesson_named)
        _open(dialog)

    def open_path(self, path: Path) -> None:
        """Show what a file holds, dropped or chosen: a run, a table, an experiment."""
        if path.suffix.lower() == RUN_SUFFIX:
            self._session.open_file(path)
        elif path.suffix.lower() in TABLE_SUFFIXES:
            self._open_table(path)
        elif engine.is_lesson(path):
            self._teaching.open_lesson(path)
        else:
            self._session.open_experiment(path)

    def open_data(self) -> None:
        """Ask for a table."""
        dialog = QFileDialog(self._window, "Open data")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        endings = " ".join(f"*{suffix}" for suffix in TABLE_SUFFIXES)
        dialog.setNameFilters([f"Tables ({endings})", "All files (*)"])
        dialog.fileSelected.connect(self._on_table_selected)
        _open(dialog)

    def _on_table_selected(self, name: str) -> None:
        self._open_table(Path(name))

    def _open_table(self, path: Path) -> None:
        # Its tasks come from the engine, which the first frame does without.
        from metalab.ui.data.data_dialog import DataDialog  # noqa: PLC0415

        dialog = DataDialog(path, engine.table_methods(), self._window)
        dialog.chosen.connect(self._on_table_chosen)
        _open(dialog)

    def _on_table_chosen(self, choice: "TableChoice") -> None:
        read = partial(engine.table_experiment, choice)
        if self._session.put(read, "The table cannot be used") and choice.starts:
            self._session.start()

    def open_experiment(self) -> None:
        """Ask for an experiment's file."""
        dialog = QFileDialog(self._window, "Open experiment")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(f"Experiments (*{EXPERIMENT_SUFFIX})")
        dialog.fileSelected.connect(self._on_experiment_selected)
        _open(dialog)

    def add_plugin(self) -> None:
        """Ask for a file of a person's own code."""
        self.plugin_wanted.emit()

    def save_experiment(self) -> None:
        """Ask where to write the experiment."""
        self._take_in_typing()
        dialog = QFileDialog(self._window, "Save experiment")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(EXPERIMENT_SUFFIX.removeprefix("."))
        dialog.setNameFilter(f"Experiments (*{EXPERIMENT_SUFFIX})")
        config = self._session.config
        if config is not None:
            dialog.selectFile(file_stem(engine.name(config)) + EXPERIMENT_SUFFIX)
        dialog.fileSelected.connect(self._on_experiment_named)
        _open(dialog)

    def _on_experiment_selected(self, name: str) -> None:
        self.open_path(Path(name))

    def _on_experiment_named(self, name: str) -> None:
        self._session.save_experiment(Path(name))

    def _on_lesson_selected(self, name: str) -> None:
        self._teaching.open_lesson(Path(name))

    def _on_lesson_named(self, name: str) -> None:
        self._teaching.save(Path(name))

    def toggle_run(self) -> None:
        """Run, pause or go on."""
        self._take_in_typing()
        self._session.toggle_run()

    def step_1(self) -> None:
        """Make one outer step."""
        self._step(1)

    def step_10(self) -> None:
        """Make ten outer steps."""
        self._step(10)

    def step_100(self) -> None:
        """Make a hundred outer steps."""
        self._step(100)

    def stop(self) -> None:
        """End the run and keep it."""
        self._session.stop()

    def start(self) -> None:
        """Begin a run of what the form says."""
        self._take_in_typing()
        self._session.start()

    def reset(self) -> None:
        """Start over; with the Shift key held on a click, with a new seed."""
        shift = Qt.KeyboardModifier.ShiftModifier
        held = bool(QGuiApplication.keyboardModifiers() & shift)
        self._take_in_typing()
        self._session.reset(new_seed=held)

    def reset_new_seed(self) -> None:
        """Start over with another seed."""
        self._take_in_typing()
        self._session.reset(new_seed=True)

    def open_file(self) -> None:
        """Ask for a run file."""
        self.ask_for_run("Open run file", self._session.open_file)

    def ask_for_run(self, title: str, take: Callable[[Path], object]) -> None:
        """Ask for a run file, beginning where the last one was.

        Args:
            title: What for.
            take: Takes the file that is chosen.
        """
        dialog = self._run_dialog(title, take)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        _open(dialog)

    def _run_dialog(self, title: str, take: Callable[[Path], object]) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        dialog.setNameFilter(f"Run files (*{RUN_SUFFIX})")
        dialog.setDirectory(self._preferences.current.folder or str(runs_folder()))
        dialog.fileSelected.connect(partial(self._on_run_named, take))
        return dialog

    def reopen_last(self) -> None:
        """Show the run that was written or opened last."""
        self._session.reopen_last()

    def run_back(self) -> None:
        """Show the run that was in view before."""
        self._session.go_back()

    def run_forward(self) -> None:
        """Show the run that was come back from."""
        self._session.go_forward()

    def bookmark(self) -> None:
        """Mark where the playhead stands, and ask for a note."""
        self._window.timeline.ask_bookmark()

    def ask_first(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Ask, or not, before a run in progress is stopped for something else."""
        self._preferences.change("close_without_asking", value=not on)
        self._preferences.change("replace_without_asking", value=not on)

    def save_copy(self) -> None:
        """Ask where to write a copy of the run."""
        history = self._session.history
        assert history is not None, "the action is off without a run"
        assert history.path is not None, "the action is off without a file"
        dialog = self._run_dialog("Save a copy", self._session.save_copy)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(RUN_SUFFIX.removeprefix("."))
        dialog.selectFile(f"{history.path.stem}-copy{RUN_SUFFIX}")
        _open(dialog)

    def export(self) -> None:
        """Make a figure of the run as it is shown."""
        # Its choices come from the catalog, which the first frame does without.
        from metalab.ui.export.dialog import ExportDialog  # noqa: PLC0415

        moment = self._playhead.moment
        assert moment is not None, "the action is off without a run"
        dialog = ExportDialog(
            moment.history,
            choices=self._choices(),
            seen=self._seen(moment),
            settings=self._preferences.current.export,
            parent=self._window,
        )

        def remember() -> None:
            self._preferences.change("export", dialog.settings())

        dialog.finished.connect(remember)
        _open(dialog)

    def report(self) -> None:
        """Ask where to write the report; on the Compare page, of what it compares."""
        paths = self._window.workspaces.current.report_paths()
        history = self._session.history
        if not paths:
            assert history is not None, "the action is off without a run"
            assert history.path is not None, "the action is off without a file"
            paths = (history.path,)
        if self._reports is None:
            from metalab.ui.export.report import ReportWriter  # noqa: PLC0415

            self._reports = ReportWriter(self)
            self._reports.told.connect(self._window.toasts.say)
        self._reports.ask(paths, self._window)

    def _choices(self) -> "FigureChoices":
        """Return what is chosen on the page in view, as figures take it."""
        choices, page = (
            self._window.live.views_choices(),
            self._window.workspaces.current,
        )
        log = page.log_colours
        return choices if log is None else replace(choices, log_y=log)

    def _seen(self, moment: "Moment") -> "Seen":
        """Return what pages show of the run at the playhead."""
        from metalab.figures.registry import figures  # noqa: PLC0415 - slow
        from metalab.figures.sights import Standpoint, history_of  # noqa: PLC0415
        from metalab.ui.export.dialog import Seen  # noqa: PLC0415

        pages = self._window.workspaces
        sights = {
            name: sight
            for page in (*pages.made, pages.current)
            for name, sight in page.sights().items()
            # A page that is not in view may be behind: what is cheap is looked up anew.
            if (page is pages.current or figures()[name].costly)
            and moment.history.is_same_run(history_of(sight))
        }
        where = None
        if moment.phi is not None:
            where = Standpoint(
                history=moment.shown,
                phi=moment.phi,
                step=moment.step,
                task=moment.task,
            )
        last = self._preferences.current.export.figure
        # A page without a figure of its own is Live, or begins where Live is.
        is_of_live = last in figures() and figures()[last].page == "live"
        return Seen(
            then=moment.shown,
            figure=pages.current.figure or (last if is_of_live else "losses"),
            sights=sights,
            standpoint=where,
        )

    def animate(self) -> None:
        """Make a film of the run as it is shown."""
        # Its formats come with matplotlib's, which the first frame does without.
        from metalab.ui.export.animation.dialog import AnimationDialog  # noqa: PLC0415

        moment = self._playhead.moment
        assert moment is not None, "the action is off without a run"
        _open(
            AnimationDialog(
                replace(moment.history, curves=moment.shown.curves),
                self._window.live.views_choices(),
                parent=self._window,
            )
        )

    def copy_plot(self) -> None:
        """Put a plot on the clipboard."""
        QGuiApplication.clipboard().setImage(self._window.workspaces.current.picture())
        self._window.status.say("Copied the plot")

    def copy_code(self) -> None:
        """Put the experiment on the clipboard, as one line of text."""
        self._take_in_typing()
        config = self._session.config
        if config is not None:
            QGuiApplication.clipboard().setText(engine.share_code(config))
            self._window.status.say("Copied the experiment")

    def paste_code(self) -> None:
        """Put the experiment of the clipboard into the form."""
        if self._session.take_code(QGuiApplication.clipboard().text()):
            self._window.show_experiment(shown=True)

    def quit(self) -> None:
        """Close the window, which may ask."""
        self._window.close()

    def inner_back(self) -> None:
        """Point out the inner step before."""
        self._playhead.set_inner_step(self._playhead.inner_step - 1)

    def inner_forward(self) -> None:
        """Point out the next inner step."""
        self._playhead.set_inner_step(self._playhead.inner_step + 1)

    def search(self) -> None:
        """Put the cursor into the search field of the form."""
        self._window.show_experiment(shown=True)
        form = self._window.experiment.form
        if form is not None:
            form.focus_search()

    def differences(self) -> None:
        """List what differs from the preset, or from another experiment."""
        # Its rows come from the engine, which the first frame does without.
        from metalab.ui.forms.differences import DifferencesDialog  # noqa: PLC0415

        self._take_in_typing()
        config, history = self._session.config, self._session.history
        reference = self._session.reference
        if config is None or reference is None:
            return
        shown = [] if history is None else [(history.name, history.next_config)]
        presets = [
            (name, engine.preset(name))
            for name in (preset.name for _, preset in engine.all_presets())
            if name != reference.name
        ]
        dialog = DifferencesDialog(
            config,
            engine.name(config),
            [
                (reference.name, reference),
                *((f"the run shown: {n}", run) for n, run in shown),
                *presets,
            ],
            self._window,
        )
        dialog.setting_chosen.connect(self._window.reveal_setting)
        _open(dialog)

    def show_experiment(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Show or hide the form."""
        self._window.show_experiment(shown=shown)

    def show_problems(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Show or hide the list of errors."""
        self._window.show_problems(shown=shown)

    def show_diagnostics(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Show or hide the diagnostics."""
        self._window.show_diagnostics(shown=shown)

    def show_baselines(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Show or hide the run beside simpler methods."""
        self._window.show_baselines(shown=shown)

    def reset_layout(self) -> None:
        """Put the window's parts where they were at first."""
        self._window.reset_layout()

    def toggle_theme(self) -> None:
        """Ask for the other theme."""
        self.theme_toggled.emit()

    def present(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        """Begin or end present mode."""
        self._window.present.set_on(on)

    def palette(self) -> None:
        """Open the command palette."""
        self._window.open_palette()

    def shortcuts(self) -> None:
        """List actions and keys."""
        _open(ShortcutsDialog(self._window))

    def about(self) -> None:
        """Tell versions."""
        _open(AboutDialog(self._window))

    def close_dialogs(self) -> None:
        """Close what is open beside the window, which is about to be gone."""
        for dialog in self._window.findChildren(QDialog):
            dialog.reject()

    def _step(self, num_steps: int) -> None:
        self._take_in_typing()
        self._session.step(num_steps)

    def _take_in_typing(self) -> None:
        form = self._window.experiment.form
        if form is not None:
            form.commit()

    def _on_palette_used(self) -> None:
        recent = self._window.command_palette.recent
        self._preferences.change("recent_commands", recent)

    def _on_run_named(self, take: Callable[[Path], object], name: str) -> None:
        """Remember the folder of a run that was read or written, for the next one."""
        path = Path(name)
        self._preferences.change("folder", str(path.parent))
        take(path)


def _open(dialog: QDialog) -> None:
    """Open a dialog that goes when it is closed; the run and its plots go on."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
