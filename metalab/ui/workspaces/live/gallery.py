"""The gallery: how every drawn held-out task is adapted to, side by side."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from metalab.analysis.loss_scale import loss_scale
from metalab.engine.events import Curves, HeldOutTasks
from metalab.figures.base import BY_LOSS, BY_TASK
from metalab.figures.tiles import order_of
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus
from metalab.ui.plot.painting import Ink, picture_of, tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import PanelHeader, preparing
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.workspaces.live.loss_key import LossKey
from metalab.ui.workspaces.live.tile_grid import TileGrid

_NAMED_FROM = 520
"""Width from which the key says what its colours are of."""

_UPDATES_A_SORT = 10
"""While a run goes on, tiles change places this rarely: else no eye could follow."""


class GalleryView(QWidget):
    """Sixteen held-out tasks as tiles.

    Attributes:
        task_chosen: The task that a person chose, counted from 0.
        sort_changed: What the tiles are sorted by: "task", "loss" or the name of one of
            the task's numbers.
    """

    task_chosen = Signal(int)
    sort_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks: HeldOutTasks | None = None
        self._curves: Curves | None = None
        self._running = False
        self._unsorted_updates = 0
        self.header = PanelHeader("Held-out tasks", self)
        self.sort = QComboBox(self.header)
        self._sort_name = QLabel("Sort by", self.header)
        self.legend = Legend(self)
        self.key = LossKey(self)
        self.grid = TileGrid(self)
        self._arrange()
        self._fill_sorts(())
        self.sort.currentIndexChanged.connect(self._on_sort_changed)
        self.grid.task_chosen.connect(self.task_chosen)
        self.header.copy_requested.connect(self._on_copy_requested)
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.legend.set_entries(*_legend_entries("K"))
        self._sort_name.setBuddy(self.sort)
        # Its orders come with the run, after it was shown first.
        self.sort.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        tip = "Order of the tiles"
        self.sort.setToolTip(tip)
        self.sort.setAccessibleName(tip)
        self.header.add_tool(self._sort_name)
        self.header.add_tool(self.sort)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 8, 0)
        line.addWidget(self.legend, 1)
        line.addWidget(self.key)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 3)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(line)
        layout.addWidget(self.grid, 1)

    def _fill_sorts(self, names: tuple[str, ...]) -> None:
        """Offer the order of the tasks, their loss, and each of their numbers."""
        offered = [BY_TASK, BY_LOSS, *names]
        if offered == [self.sort.itemData(i) for i in range(self.sort.count())]:
            return
        chosen = self.sort_by
        blocked = self.sort.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.sort.clear()
        for name in offered:
            self.sort.addItem(name.replace("_", " ").capitalize(), name)
        self.sort.setCurrentIndex(max(0, self.sort.findData(chosen)))
        self.sort.blockSignals(blocked)

    @property
    def sort_by(self) -> str:
        """What the tiles are sorted by."""
        return self.sort.currentData() or BY_TASK

    def set_sort(self, name: str) -> None:
        """Sort the tiles by something that is offered; else leave them."""
        index = self.sort.findData(name)
        if index >= 0:
            self.sort.setCurrentIndex(index)

    @property
    def task(self) -> int:
        """The chosen task, counted from 0."""
        return self.grid.selected

    def set_task(self, task: int) -> None:
        """Mark a task as the chosen one, without saying so."""
        self.grid.set_selected(task)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        tint(self._sort_name, theme.muted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the legend its room before the name of the colours has any."""
        super().resizeEvent(event)
        self.key.set_named(named=self.width() >= _NAMED_FROM)

    def picture(self) -> QImage:
        """Return the tiles and their key as a picture, without the tools."""
        parts = (self.legend, self.key, self.grid)
        return picture_of(parts, title=self.header.title)

    def show_history(self, history: RunHistory | None) -> None:
        """Show a run as it is now; cheap where nothing is new."""
        tasks = None if history is None else history.held_out_tasks
        curves = None if history is None else history.curves
        running = history is not None and history.status is RunStatus.RUNNING
        waiting = history is not None and tasks is None and not history.status.ended
        self.grid.set_message(preparing(history) if waiting else "")
        stopped = self._running and not running
        self._running = running
        if tasks is not self._tasks:
            self._take_tasks(tasks, history)
        elif curves is self._curves and not stopped:
            return
        self._curves = curves
        self._unsorted_updates += 1
        self._sort(at_once=stopped)
        self.grid.show_curves(curves)
        self._describe()

    def _take_tasks(
        self, tasks: HeldOutTasks | None, history: RunHistory | None
    ) -> None:
        self._tasks = tasks
        self._unsorted_updates = _UPDATES_A_SORT
        if tasks is not None and history is not None:
            self._fill_sorts(tasks.parameter_names)
            config = history.config_at()
            scale = loss_scale(config, tasks)
            self.grid.set_scale(scale)
            self.key.set_scale(scale, unit=config.loss_words.query_unit)
            entries = _legend_entries(f"K = {tasks.num_inner_steps}")
            known = tasks.true_curves is not None
            observed = Entry(swatch=Swatch.DOT, ink=Ink(role="query"), text="Observed")
            self.legend.set_entries(*(entries if known else (*entries[1:], observed)))

    def _sort(self, *, at_once: bool) -> None:
        tasks = self._tasks
        if tasks is None:
            self.grid.show_tasks(None, [])
            return
        if not at_once and not self._may_move():
            return
        self._unsorted_updates = 0
        self.grid.show_tasks(tasks, self._order(tasks))

    def _may_move(self) -> bool:
        """Return whether tiles may change places now."""
        if not self._running or self.sort_by != BY_LOSS:
            return True
        # A person who points at a tile is about to choose it.
        pointed = self.grid.hovered is not None
        return not pointed and self._unsorted_updates >= _UPDATES_A_SORT

    def _order(self, tasks: HeldOutTasks) -> list[int]:
        return order_of(tasks, self._curves, self.sort_by)

    def _describe(self) -> None:
        tasks, curves = self._tasks, self._curves
        if tasks is None or curves is None or self.task >= tasks.num_gallery:
            self.grid.setAccessibleDescription("No tasks yet")
        else:
            self.grid.setAccessibleDescription(self.grid.describe(self.task))

    def _on_sort_changed(self) -> None:
        self._sort(at_once=True)
        self.sort_changed.emit(self.sort_by)

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def _legend_entries(adapted: str) -> tuple[Entry, ...]:
    """Return the entries, that of the true curve first."""
    return (
        Entry(swatch=Swatch.DASHED, ink=Ink(role="truth"), text="True"),
        Entry(swatch=Swatch.LINE, ink=Ink(role="before", share=0.7), text="Before"),
        Entry(swatch=Swatch.THICK, ink=Ink(role="after"), text=f"After {adapted}"),
    )
