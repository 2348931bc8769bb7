"""The window: it places parts and passes on; it decides and computes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from metalab.core.paths import TABLE_SUFFIXES
from metalab.runs.system.home import RUN_SUFFIX
from metalab.ui.actions.action_set import ActionSet
from metalab.ui.actions.lines import EXPERIMENT_SUFFIX
from metalab.ui.actions.palette import (
    CommandPalette,
    action_entries,
    menu_entries,
    setting_entries,
)
from metalab.ui.actions.table import MENUS
from metalab.ui.shell.banners import BannerArea
from metalab.ui.shell.dock_title import DockTitle
from metalab.ui.shell.experiment_dock import WIDTH, ExperimentDock
from metalab.ui.shell.layout import restore_layout, save_layout
from metalab.ui.shell.present import PresentMode
from metalab.ui.shell.status_bar import RunStatusBar
from metalab.ui.shell.toolbar import MainToolBar, PresetMenu
from metalab.ui.style.icons import app_icon
from metalab.ui.timeline.timeline import Timeline
from metalab.ui.widgets.recent_menu import RecentMenu
from metalab.ui.widgets.toasts import ToastArea
from metalab.ui.workspaces.tabs import WorkspaceTabs

if TYPE_CHECKING:
    from metalab.ui.shell.problems import ProblemsPanel
    from metalab.ui.workspaces.live.workspace import LiveWorkspace

MINIMUM_SIZE = QSize(1000, 600)
"""Size that fits a screen of 1024 x 640 with a title bar and a frame."""
BESIDE_FROM = 1200
"""Width from which there is room for form, page and another dock side by side."""
PROBLEMS_HEIGHT = 190
SIDE_WIDTH = 330

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea


class MainWindow(QMainWindow):
    """Toolbar, form, workspaces, problems, status bar.

    Attributes:
        closed: The window is about to be gone; everything is saved.
        escaped: Escape was pressed where nothing has a use for it.
        tabbed: Tab has led the focus to a widget.
        key_left_over: Another key was pressed where nothing has a use for it.
        file_dropped: A file was dropped on the window.
        live: The Live workspace.
        workspaces: All of them.
        timeline: Outer and inner time.
        experiment: The dock of the form.
        problems: The Problems panel.
        banners: What needs a decision.
        presets: The menu of presets.
        recent: The menu of runs that were last written or opened.
        toasts: Passing words.
        toolbar: The toolbar.
        status: The status bar.
        command_palette: Everything that can be done, found by its name.
        present: How the window is shown to a lecture room.
    """

    closed = Signal()
    escaped = Signal()
    tabbed = Signal(QWidget)
    key_left_over = Signal(QKeyEvent)
    file_dropped = Signal(object)

    def __init__(
        self,
        actions: ActionSet,
        live: "LiveWorkspace",
        problems: "ProblemsPanel",
        *,
        settings: QSettings,
        may_close: Callable[[QWidget], bool],
    ) -> None:
        """Build the window.

        Args:
            actions: What can be done.
            live: The Live workspace.
            problems: The Problems panel.
            settings: Where the layout is kept.
            may_close: Asked by each attempt to close.
        """
        super().__init__()
        self._actions = actions
        self._settings = settings
        self._may_close = may_close
        self.live = live
        self.problems = problems
        self.workspaces = WorkspaceTabs(live, self)
        self.timeline = Timeline(self)
        self.experiment = ExperimentDock(self)
        self.banners = BannerArea(self)
        self.presets = PresetMenu(self)
        self.recent = RecentMenu(self)
        self.toasts = ToastArea(self.workspaces)
        self.toolbar = MainToolBar(actions, self.presets, self)
        self.status = RunStatusBar(parent=self)
        self.command_palette = CommandPalette(self)
        self.present = PresentMode(self)
        self._side_docks: list[tuple[QDockWidget, int]] = []
        self._problems_dock = QDockWidget("Problems", self)
        self._diagnostics_dock = QDockWidget("Diagnostics", self)
        self._baselines_dock = QDockWidget("Baselines", self)
        for dock in self._docks.values():
            dock.setTitleBarWidget(DockTitle(dock))
        self._place()
        self._fill_menus()
        self._follow_docks()
        self.reset_layout()
        restore_layout(self, settings)

    @property
    def _docks(self) -> "dict[str, QDockWidget]":
        """Every dock of its own, by the key of its action."""
        return {
            "show_experiment": self.experiment,
            "show_problems": self._problems_dock,
            "show_diagnostics": self._diagnostics_dock,
            "show_baselines": self._baselines_dock,
        }

    def _place(self) -> None:
        self.setWindowTitle("metalab")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(MINIMUM_SIZE)
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.addToolBar(self.toolbar)
        self.setStatusBar(self.status)
        centre = QWidget(self)
        self._column = QVBoxLayout(centre)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.banners)
        self._column.addWidget(self.workspaces, 1)
        self._column.addWidget(self.timeline)
        self.setCentralWidget(centre)
        self._problems_dock.setObjectName("problems")
        self._problems_dock.setWidget(self.problems)
        self._diagnostics_dock.setObjectName("diagnostics")
        self._diagnostics_dock.setWidget(self.live.diagnostics)
        self._baselines_dock.setObjectName("baselines")
        self._baselines_dock.setWidget(self.live.baselines)
        for dock in (self._diagnostics_dock, self._baselines_dock):
            self.add_side_dock(dock, SIDE_WIDTH)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)

    def _fill_menus(self) -> None:
        bar = self.menuBar()
        for name, title in MENUS.items():
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)
            for spec, action in self._actions.in_menu(name):
                if spec.separated:
                    menu.addSeparator()
                menu.addAction(action)
                if spec.key == "open_file":
                    menu.addMenu(self.recent)
            if name == "run":
                bar.addMenu(self.presets)
        # For the shortcuts to work where a menu bar is not part of the window.
        self.addActions([action for _, action in self._actions.all()])

    def _follow_docks(self) -> None:
        for dock in self._docks.values():
            dock.visibilityChanged.connect(self._on_dock_visibility_changed)
        self.status.problems_clicked.connect(self._on_problems_clicked)
        self.present.changed.connect(self._actions["present"].setChecked)
        self.present.changed.connect(self.toasts.set_at_top)

    def add_side_dock(self, dock: QDockWidget, width: int) -> None:
        """Take in a dock at the right, hidden at first.

        In a narrow window it becomes a tab beside the form, lest both and the page be
        cut off.

        Args:
            dock: The dock.
            width: Its first width.
        """
        self._side_docks.append((dock, width))
        self.addDockWidget(_RIGHT, dock)
        dock.hide()

    def show_side_dock(self, dock: QDockWidget) -> None:
        """Show a dock that `add_side_dock` has taken in, before others at its place."""
        dock.show()
        self._place_side_docks()
        dock.raise_()

    def _place_side_docks(self) -> None:
        together = self.width() < BESIDE_FROM
        for dock, width in self._side_docks:
            if dock.isHidden() or dock.isFloating():
                continue
            if together and self.dockWidgetArea(dock) == _RIGHT:
                self.tabifyDockWidget(self.experiment, dock)
            elif not together and dock in self.tabifiedDockWidgets(self.experiment):
                # Taken out first: what is laid out again in this very turn would else
                # leave the tab bar of both behind.
                self.removeDockWidget(dock)
                self.addDockWidget(_RIGHT, dock)
                dock.show()
                self.resizeDocks([dock], [width], Qt.Orientation.Horizontal)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the docks beside each other where there is room, else behind each other."""
        super().resizeEvent(event)
        self._place_side_docks()

    def add_strip(self, strip: QWidget) -> None:
        """Put a strip over the whole width between banners and pages."""
        self._column.insertWidget(1, strip)

    def open_palette(self) -> None:
        """Offer every action, preset, recent run and setting by name."""
        presets = menu_entries(self.presets, prefix="preset", names=self.presets.names)
        recent = menu_entries(self.recent, prefix="recent")
        form = self.experiment.form
        settings = [] if form is None else setting_entries(form, self.reveal_setting)
        self.command_palette.open_with(
            [*action_entries(self._actions), *presets, *recent, *settings]
        )

    def reveal_setting(self, path: str) -> None:
        """Show a setting in the form; one of another's component, where it is chosen."""
        self.show_experiment(shown=True)
        form = self.experiment.form
        if form is not None:
            form.reveal(path if form.has(path) else path.split(".", maxsplit=1)[0])

    def reset_layout(self) -> None:
        """Put the docks where they belong at first."""
        for dock, area in (
            (self.experiment, Qt.DockWidgetArea.LeftDockWidgetArea),
            (self._problems_dock, Qt.DockWidgetArea.BottomDockWidgetArea),
            (self._diagnostics_dock, _RIGHT),
            (self._baselines_dock, _RIGHT),
        ):
            dock.setFloating(False)
            self.addDockWidget(area, dock)
        self.experiment.show()
        self._problems_dock.hide()
        self._diagnostics_dock.hide()
        self._baselines_dock.hide()
        self.toolbar.show()
        self.resizeDocks(
            [self.experiment, self._diagnostics_dock, self._baselines_dock],
            [WIDTH, SIDE_WIDTH, SIDE_WIDTH],
            Qt.Orientation.Horizontal,
        )
        self.resizeDocks(
            [self._problems_dock], [PROBLEMS_HEIGHT], Qt.Orientation.Vertical
        )

    def show_experiment(self, *, shown: bool) -> None:
        """Show or hide the form."""
        self.experiment.setVisible(shown)

    def show_problems(self, *, shown: bool) -> None:
        """Show or hide the list of errors."""
        self._problems_dock.setVisible(shown)

    def show_diagnostics(self, *, shown: bool) -> None:
        """Show or hide the diagnostics."""
        if shown:
            self.show_side_dock(self._diagnostics_dock)
        else:
            self._diagnostics_dock.hide()

    def show_baselines(self, *, shown: bool) -> None:
        """Show or hide the run's rivals; the keys then go to what compares them."""
        if shown:
            self.show_side_dock(self._baselines_dock)
            self.live.baselines.take_focus()
        else:
            self._baselines_dock.hide()

    @property
    def seen(self) -> bool:
        """Whether any of the window can be on a screen."""
        return self.isVisible() and not self.isMinimized()

    def _on_dock_visibility_changed(self) -> None:
        # A dock is also invisible while the window is minimised: then nothing changed.
        for key, dock in self._docks.items():
            self._actions[key].setChecked(not dock.isHidden())

    def _on_problems_clicked(self) -> None:
        self.show_problems(shown=self._problems_dock.isHidden())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass on what nobody wanted."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            self.key_left_over.emit(event)
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001 - Qt's
        """Move the focus as Tab wants it; to the page where its widget has gone.

        Qt also comes here once the widget with the focus is hidden or disabled, and would
        give it to the next one in line: to a box of the timeline after the Start page.
        """
        focused = cast("QWidget | None", self.focusWidget())
        if focused is not None and not (focused.isVisible() and focused.isEnabled()):
            self.workspaces.current.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        moved = super().focusNextPrevChild(next)
        reached = cast("QWidget | None", self.focusWidget())
        if moved and reached is not None:
            self.tabbed.emit(reached)
        return moved

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file of metalab's."""
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Pass the file on."""
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.file_dropped.emit(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close if nothing would be lost; otherwise see to that first."""
        if not self._may_close(self):
            event.ignore()
            return
        save_layout(self, self._settings)
        event.accept()
        self.closed.emit()


def _dropped(event: QDropEvent) -> Path | None:
    """Return the run, lesson, experiment or table that is dropped; else None."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    known = (RUN_SUFFIX, EXPERIMENT_SUFFIX, *TABLE_SUFFIXES)
    return path if path.name.lower().endswith(known) else None
