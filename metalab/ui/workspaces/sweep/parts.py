"""The widgets of the Sweep page, and where they stand."""

import os

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.widgets.header import PanelHeader, tool_button
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.sweep.axes_editor import AxesEditor
from metalab.ui.workspaces.sweep.heat_map import HeatMap
from metalab.ui.workspaces.sweep.parallel import ParallelCoordinates
from metalab.ui.workspaces.sweep.queue_table import QueueTable

POLL_MS = 250
_PLAN_MS = 300
"""After a change of the axes, before the runs are planned anew: nobody types faster."""


class SweepParts(Workspace):
    """Axes above, then queue and choices, then picture and table; nothing is connected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_parts()
        self._arrange()

    def _make_parts(self) -> None:
        self.header = PanelHeader("Sweep", self)
        self.open = tool_button("Open", "Open a sweep file", parent=self.header)
        self.save = tool_button("Save", "Write the sweep to a file", parent=self.header)
        self.axes = AxesEditor(self)
        self.count = QLabel(self)
        self.measure = tool_button(
            "Estimate time", "Measure a few steps of each kind of run", parent=self
        )
        self.processes = QSpinBox(self)
        self.processes.setRange(1, 256)
        self.processes.setValue(os.cpu_count() or 1)
        self.processes.setAccessibleName("Processes")
        self.processes.setToolTip("Runs that go on at once, one core each")
        self.start = QPushButton("Start", self)
        self.start.setToolTip("Begin the runs, or go on with them")
        self.pause = tool_button(
            "Pause", "Save the runs that go on", parent=self, checkable=True
        )
        self.cancel = tool_button(
            "Cancel", "Leave out the selected runs; all of them if none", parent=self
        )
        self.retry = tool_button(
            "Retry", "Queue runs again that failed or were cancelled", parent=self
        )
        self.sooner = tool_button("Sooner", "Run the selected runs first", parent=self)
        self.use_best = tool_button(
            "Use the best as preset", "Put its settings into the form", parent=self
        )
        self.compare = tool_button(
            "Compare these", "Put the selected runs aside to compare", parent=self
        )
        self.compare.hide()
        self.kind = QComboBox(self)
        self.kind.addItems(["Heat map", "Parallel coordinates"])
        self.kind.setAccessibleName("Picture")
        self.x_axis = QComboBox(self)
        self.y_axis = QComboBox(self)
        self.x_axis.setAccessibleName("Horizontal axis")
        self.y_axis.setAccessibleName("Vertical axis")
        for box in (self.x_axis, self.y_axis):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.setMinimumContentsLength(8)
        self.heat_map = HeatMap(self)
        self.parallel = ParallelCoordinates(self)
        self.pictures = QStackedWidget(self)
        self.table = QueueTable(self)
        self._note = QLabel(self)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._planning = QTimer(self)
        self._planning.setSingleShot(True)
        self._planning.setInterval(_PLAN_MS)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        for label in (self.count, self._note):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._note.setContentsMargins(10, 2, 10, 2)
        self._note.hide()
        self.header.add_tool(self.open)
        self.header.add_tool(self.save)
        self.pictures.addWidget(self.heat_map)
        self.pictures.addWidget(self.parallel)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.addWidget(self.pictures)
        splitter.addWidget(self.table)
        splitter.setSizes([300, 200])
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 3)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(self.axes)
        layout.addLayout(_row(self.count, self.measure, stretch=self.count))
        queue = (self.start, self.pause, self.cancel, self.retry, self.sooner)
        label = QLabel("Processes", self)
        label.setBuddy(self.processes)
        layout.addLayout(_row(*queue, None, label, self.processes))
        layout.addWidget(self._note)
        self._across = QLabel("\N{MULTIPLICATION SIGN}", self)
        chosen = (self.kind, self.x_axis, self._across, self.y_axis)
        layout.addLayout(_row(*chosen, None, self.compare, self.use_best))
        layout.addWidget(splitter, 1)


def _row(*widgets: QWidget | None, stretch: QWidget | None = None) -> QHBoxLayout:
    """Return widgets beside each other; None is room between them."""
    row = QHBoxLayout()
    row.setContentsMargins(10, 0, 6, 0)
    row.setSpacing(6)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, 1 if widget is stretch else 0)
    if stretch is None and None not in widgets:
        row.addStretch(1)
    return row
