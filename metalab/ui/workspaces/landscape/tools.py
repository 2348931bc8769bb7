"""Controls and texts beside a landscape."""

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.analysis.landscape_request import AXES, SURFACES
from metalab.ui.plot.painting import tint
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import tool_button
from metalab.ui.workspaces.landscape.choices import (
    EXTENT_DOUBLINGS,
    MOST_TASKS,
    Choices,
)

_WIDTH_IN_LETTERS = 44
"""Of the column: enough for the longest choice, in average letters of any font."""


class LandscapeTools(QWidget):
    """A column beside the map.

    Attributes:
        chosen: The choices are other ones: `Choices`.
        cancel_clicked: What is being computed is not wanted any more.
        compute_clicked: What was stopped shall be computed after all.
    """

    chosen = Signal(object)
    cancel_clicked = Signal()
    compute_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = Choices()
        self.surface, self.axes = QComboBox(self), QComboBox(self)
        self.extent = QSlider(Qt.Orientation.Horizontal, self)
        self._extent_value = QLabel(self)
        self.num_tasks = QSpinBox(self)
        self.log = QCheckBox("Logarithmic colours", self)
        self.text = QLabel(self)
        self.progress = QProgressBar(self)
        self.cancel: QToolButton = tool_button(
            "Cancel",
            "Stop computing; what is known stays",
            parent=self,
        )
        self.compute: QToolButton = tool_button(
            "Compute", "Compute what was stopped", parent=self
        )
        self._labels: list[QLabel] = []
        self._fill()
        self._arrange()
        self._connect()
        self.show_choices(self._choices)
        self.show_progress(None, stopped=False)
        follow_theme(self._take_theme)

    def _fill(self) -> None:
        surfaces = {
            "support": "Support loss of one task",
            "query": "Query loss of one task",
            "adapted": "Query loss after adaptation",
        }
        axes = {
            "paths": "Inner paths (PCA)",
            "outer": "Outer path (PCA)",
            "gradients": "Two task gradients",
            "random": "Random, filter-normalised",
        }
        for name in SURFACES:
            self.surface.addItem(surfaces[name], name)
        for name in AXES:
            self.axes.addItem(axes[name], name)
        self.surface.setToolTip(
            "The loss of the first task at each point, or the mean query loss of "
            "held-out tasks after they have adapted from it: the surface that the "
            "outer loop descends"
        )
        self.axes.setToolTip("What the plane through the parameters contains")
        self.extent.setRange(-EXTENT_DOUBLINGS, EXTENT_DOUBLINGS)
        self.extent.setPageStep(1)
        self.extent.setToolTip("How much of the plane is computed")
        self.num_tasks.setRange(1, MOST_TASKS)
        self.num_tasks.setToolTip("Held-out tasks whose inner paths are drawn")

    def _arrange(self) -> None:
        extent = QHBoxLayout()
        extent.setSpacing(6)
        extent.addWidget(self.extent, 1)
        extent.addWidget(self._extent_value)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(7)
        rows = (
            ("Surface", self.surface, self.surface),
            ("Axes", self.axes, self.axes),
            ("Extent", self.extent, extent),
            ("Tasks", self.num_tasks, self.num_tasks),
        )
        for name, widget, row in rows:
            label = QLabel(name, self)
            label.setBuddy(widget)
            widget.setAccessibleName(name)
            form.addRow(label, row)
            self._labels.append(label)
        form.addRow(self.log)
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress.setAccessibleName("Share of the landscape computed")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        busy = QHBoxLayout()
        busy.addWidget(self.progress, 1)
        busy.addWidget(self.cancel)
        busy.addWidget(self.compute)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 12, 6)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addWidget(self.text, 1)
        layout.addLayout(busy)
        self._measure()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def _measure(self) -> None:
        metrics = self.fontMetrics()
        self.setFixedWidth(_WIDTH_IN_LETTERS * metrics.averageCharWidth())
        self._extent_value.setMinimumWidth(metrics.horizontalAdvance("0.0625 ×"))

    def _connect(self) -> None:
        self.surface.activated.connect(self._on_chosen)
        self.axes.activated.connect(self._on_chosen)
        self.extent.valueChanged.connect(self._on_chosen)
        self.num_tasks.valueChanged.connect(self._on_chosen)
        self.log.toggled.connect(self._on_chosen)
        self.cancel.clicked.connect(self.cancel_clicked)
        self.compute.clicked.connect(self.compute_clicked)

    @property
    def choices(self) -> Choices:
        """What is chosen."""
        return self._choices

    def show_choices(self, choices: Choices) -> None:
        """Show choices without saying that they are other ones."""
        self._choices = choices
        parts = (self.extent, self.num_tasks, self.log)
        blocked = [part.blockSignals(True) for part in parts]  # noqa: FBT003 - Qt's
        self.surface.setCurrentIndex(SURFACES.index(choices.surface))
        self.axes.setCurrentIndex(AXES.index(choices.axes))
        self.extent.setValue(choices.zoom)
        self.num_tasks.setValue(choices.num_tasks)
        self.log.setChecked(choices.log)
        for part, before in zip(parts, blocked, strict=True):
            part.blockSignals(before)
        self._show_extent()

    def show_progress(self, share: float | None, *, stopped: bool) -> None:
        """Show how far a landscape is.

        Args:
            share: 0 ... 1; None while nobody waits for one.
            stopped: Whether it was stopped before it was finished.
        """
        self.compute.setVisible(stopped)
        self.progress.setVisible(share is not None)
        self.cancel.setVisible(share is not None)
        if share is not None:
            self.progress.setValue(round(100 * share))

    def _take_theme(self, theme: Theme) -> None:
        for label in (*self._labels, self.text):
            tint(label, theme.muted)
        tint(self._extent_value, theme.text)

    def _show_extent(self) -> None:
        self._extent_value.setText(f"{number_text(2.0 ** self.extent.value())} ×")

    def _on_chosen(self) -> None:
        choices = replace(
            self._choices,
            surface=SURFACES[self.surface.currentIndex()],
            axes=AXES[self.axes.currentIndex()],
            zoom=self.extent.value(),
            num_tasks=self.num_tasks.value(),
            log=self.log.isChecked(),
        )
        self._show_extent()
        if choices != self._choices:
            self._choices = choices
            self.chosen.emit(choices)
