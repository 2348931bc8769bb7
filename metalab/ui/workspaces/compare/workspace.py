"""The Compare workspace: methods with their seeds, on the same held-out tasks."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QSplitter,
    QStackedLayout,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.core.errors import UserError
from metalab.runs.system.home import RUN_SUFFIX
from metalab.studies.comparison_words import (
    HEADINGS,
    note_on,
    rows_of,
    setting_headings,
    setting_rows,
)
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.session.basket import Basket
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.empty import EmptyState
from metalab.ui.widgets.header import PanelHeader
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.compare.asking import CompareAsking, CompareRequest
from metalab.ui.workspaces.compare.curves import CurvesView
from metalab.ui.workspaces.compare.looks import ink_of
from metalab.ui.workspaces.compare.scatter import ScatterView
from metalab.ui.workspaces.compare.side_by_side import SideBySide
from metalab.ui.workspaces.compare.tables import TextTable
from metalab.ui.workspaces.compare.tools import CompareTools, WordsView

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison
    from metalab.ui.session.moment import Moment


class CompareWorkspace(Workspace):
    """Runs of the basket beside each other.

    Attributes:
        basket: Which runs.
        asking: The threads that measure and adapt.
        tools: What is chosen.
        curves: Held-out loss over training.
        results: The table.
        words: Differences in words, and what the numbers are.
        settings: Settings that differ.
        scatter: Two methods task by task.
        side_by_side: The same task in several methods.
        empty: What is seen with fewer than two runs.
    """

    shows_example = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.basket = Basket(self)
        self._asked: CompareRequest | None = None
        self._found: Comparison | None = None
        self.asking = CompareAsking(self)
        self.header = PanelHeader("Compare", self)
        self.tools = CompareTools(self)
        self.curves = CurvesView(self)
        self.results = TextTable("Results of the methods", self)
        self.words = WordsView(self)
        self.settings = TextTable("Settings that differ", self)
        self.scatter = ScatterView(self)
        self.side_by_side = SideBySide(self)
        self.empty = EmptyState((0.62, 0.6), self)
        self.tabs = QTabWidget(self)
        self._pages = QStackedLayout(self)
        self._arrange()
        self._connect()
        self._show_state()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        methods = QSplitter(Qt.Orientation.Vertical, self)
        methods.setChildrenCollapsible(False)
        methods.addWidget(self.curves)
        below = QWidget(self)
        column = QVBoxLayout(below)
        column.setContentsMargins(6, 4, 6, 0)
        column.addWidget(self.results, 3)
        column.addWidget(self.words, 2)
        methods.addWidget(below)
        methods.setSizes([330, 290])
        tasks = QSplitter(Qt.Orientation.Horizontal, self)
        tasks.setChildrenCollapsible(False)
        left = QWidget(self)
        pair = QVBoxLayout(left)
        pair.setContentsMargins(0, 4, 0, 0)
        choice = QHBoxLayout()
        choice.setContentsMargins(10, 0, 10, 0)
        for part in self.tools.pair_widgets:
            choice.addWidget(part, 1)
        pair.addLayout(choice)
        pair.addWidget(self.scatter, 1)
        tasks.addWidget(left)
        tasks.addWidget(self.side_by_side)
        tasks.setSizes([380, 620])
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(methods, "Methods")
        self.tabs.addTab(tasks, "Tasks side by side")
        self.tabs.addTab(self.settings, "Settings that differ")
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.tools)
        layout.addWidget(self.tabs, 1)
        self._page = page
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)

    def _connect(self) -> None:
        self.empty.button.setText("Choose run files…")
        self.empty.run_requested.connect(self.choose_files)
        self.basket.changed.connect(self._on_basket)
        self.tools.chosen.connect(self._on_chosen)
        self.tools.reference_chosen.connect(self._on_reference)
        self.tools.pair_chosen.connect(self._draw_pair)
        self.tools.stop_clicked.connect(self._on_stop)
        self.tools.add_clicked.connect(self.choose_files)
        self.tools.clear_clicked.connect(self._on_clear)
        self.tools.report_clicked.connect(self.report_requested)
        self.asking.told.connect(self.tools.show_doing)
        self.asking.found.connect(self._on_found)
        self.asking.failed.connect(self._on_failed)
        self.asking.adapted.connect(self.side_by_side.take)
        self.asking.not_adapted.connect(self._on_not_adapted)
        self.side_by_side.asked.connect(self.asking.adapt)
        self.side_by_side.task_chosen.connect(self.scatter.choose)
        self.scatter.task_clicked.connect(self.side_by_side.show_task)
        self.header.fit_requested.connect(self.curves.plot.fit)
        self.curves.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.copy_requested.connect(self._on_copy)

    # What the window says

    def set_basket(self, basket: Basket) -> None:
        """Compare the runs of another basket from now on."""
        self.basket.changed.disconnect(self._on_basket)
        self.basket = basket
        basket.changed.connect(self._on_basket)
        self._on_basket()

    @property
    def found(self) -> "Comparison | None":
        """What was measured."""
        return self._found

    def show_moment(self, moment: "Moment | None") -> None:
        """Show the runs of the basket, whatever run there is."""
        del moment

    def showEvent(self, event: QShowEvent) -> None:
        """Measure what has come into the basket while the page was hidden."""
        super().showEvent(event)
        self._measure()

    def report_paths(self) -> tuple[Path, ...]:
        """Return the runs that are compared."""
        return () if self._found is None else self.basket.paths

    def picture(self) -> QImage:
        """Return what is seen of the methods as a picture."""
        if self.tabs.currentIndex() == 1:
            return picture_of((self.scatter, self.side_by_side), title="Compare")
        parts = (self.curves, self.results, self.words)
        return picture_of(parts, title="Compare")

    def save_state(self) -> dict[str, Any]:
        """Return how curves are drawn."""
        choices = self.tools.choices
        return {"x": choices.x, "spread": choices.spread, "log": choices.log_y}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices."""
        self.tools.restore(state)

    def shut_down(self) -> None:
        """Have every thread end; returns at once."""
        self.asking.shut_down()

    def join(self) -> None:
        """Wait for the threads, after `shut_down`."""
        self.asking.join()

    # What a person does

    def choose_files(self) -> None:
        """Ask for run files, to be put into the basket."""
        dialog = QFileDialog(self, "Compare runs", "", f"Runs (*{RUN_SUFFIX})")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._on_files)
        dialog.open()

    def _on_files(self, names: list[str]) -> None:
        self.basket.add(Path(name) for name in names)

    def _on_clear(self) -> None:
        self.basket.set_paths(())

    def _on_stop(self) -> None:
        self.asking.cancel()
        self._asked = None
        self.tools.show_problem("Stopped before all runs were measured")

    def _on_basket(self) -> None:
        if self.isVisible():
            self._measure()
        self._show_state()

    def _on_reference(self, title: str) -> None:
        self._measure(title)

    def _measure(self, reference: str | None = None) -> None:
        paths = self.basket.paths
        if len(paths) < 2:
            self.asking.cancel()
            self._asked = self._found = None
            return
        wanted = CompareRequest(paths, reference)
        before = self._asked
        same = before is not None and before.paths == paths
        if same and (reference is None or before == wanted):
            return
        self._asked = wanted
        self.asking.measure(wanted)
        self.tools.show_doing(f"Measuring {len(paths)} runs…")

    # What is drawn

    def _on_found(self, found: "Comparison") -> None:
        self._found = found
        self.tools.report.setEnabled(True)
        self.tools.show_comparison(found)
        self.results.show_rows(
            HEADINGS,
            rows_of(found),
            inks=[ink_of(index) for index in range(len(found.groups))],
        )
        said = [difference.words for difference in found.differences]
        self.words.say([*said, *found.failures()], note_on(found))
        self.settings.show_rows(setting_headings(found), setting_rows(found))
        self.side_by_side.show_comparison(found, found.groups)
        self._on_chosen()
        self._draw_pair()

    def _on_chosen(self) -> None:
        self.choices_changed.emit()
        if self._found is None:
            return
        try:
            self.curves.show_comparison(self._found, self.tools.choices)
        except UserError as error:
            self.curves.plot.set_message(str(error))
        else:
            self.curves.plot.set_message("")

    def _draw_pair(self) -> None:
        found, pair = self._found, self.tools.pair
        if found is None or pair is None:
            return
        by_title = {group.title: group for group in found.groups}
        one, other = (by_title[title] for title in pair)
        self.scatter.show_pair(found, one, other)
        self.scatter.choose(self.side_by_side.task.value() - 1)

    def _on_failed(self, error: Exception) -> None:
        self._found = None
        self.tools.report.setEnabled(False)
        self.curves.show_comparison(None, self.tools.choices)
        self.results.show_rows((), ())
        self.settings.show_rows((), ())
        self.words.say([], "")
        self.curves.plot.set_message("These runs cannot be compared")
        self.tools.show_problem(str(error))

    def _on_not_adapted(self, error: Exception) -> None:
        self.tools.show_problem(str(error))

    def _show_state(self) -> None:
        count = len(self.basket.paths)
        self._pages.setCurrentWidget(self._page if count >= 2 else self.empty)
        title = "Tick two runs in Runs" if count == 0 else "Tick one more run in Runs"
        detail = "Runs that differ in their seed alone are one method."
        self.empty.set_preset(title, detail)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        # Nothing is run from here.
        self.empty.button.setIcon(QIcon())

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())
