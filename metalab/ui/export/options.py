"""The part of the export dialog that says which figure, how large and how drawn."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QWidget,
)

from metalab.figures.base import (
    BY_LOSS,
    BY_TASK,
    LARGEST_SHARE,
    LEGENDS,
    X_AXES,
    FigureChoices,
)
from metalab.figures.registry import figures
from metalab.figures.sizes import FigureSize
from metalab.ui.export.rows import add_row, choice_box, dense_form
from metalab.ui.export.settings import ExportSettings
from metalab.ui.export.style import ExportStyle
from metalab.ui.workspaces.live.loss_tools import share_text

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

_SLIDER_STEPS = 40
_LEAST_SHARE = 0.005
"""Of what is shown, that the weakest smoothing spans."""


def share_at(position: int) -> float:
    """Return the share to smooth over at a position of the slider, 0 ... `_SLIDER_STEPS`.

    The first position is off; from the next one on, equal steps are equal ratios.
    """
    if position == 0:
        return 0.0
    reached = (position - 1) / (_SLIDER_STEPS - 1)
    return round(_LEAST_SHARE * (LARGEST_SHARE / _LEAST_SHARE) ** reached, 4)


def position_of(share: float) -> int:
    """Return the slider's position nearest to a share."""
    if share < _LEAST_SHARE / 2:
        return 0
    reached = math.log(max(share, _LEAST_SHARE) / _LEAST_SHARE)
    whole = math.log(LARGEST_SHARE / _LEAST_SHARE)
    return 1 + round(reached / whole * (_SLIDER_STEPS - 1))


class ExportOptions(QWidget):
    """Figure, size, and what the figure can be told.

    Attributes:
        changed: Something was chosen.
    """

    changed = Signal()

    def __init__(
        self,
        history: "RunHistory",
        *,
        settings: ExportSettings,
        choices: FigureChoices,
        figure: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._figure = choice_box(
            [(spec.title, name) for name, spec in figures().items()],
            figure or settings.figure,
            self,
        )
        self._task = choice_box(task_entries(history), choices.task, self)
        self._x = choice_box([(x.capitalize(), x) for x in X_AXES], choices.x, self)
        self._legend = choice_box(
            [(place.capitalize(), place) for place in LEGENDS], choices.legend, self
        )
        self._log_y = QCheckBox("Log&arithmic loss", self)
        self._log_y.setChecked(choices.log_y)
        self._smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self._smoothing.setRange(0, _SLIDER_STEPS)
        self._smoothing.setValue(position_of(choices.smoothing))
        self._share = QLabel(self)
        self._sort = choice_box(sort_entries(history), choices.sort, self)
        self._form = dense_form(self)
        self._arrange(settings)
        self._connect()
        self._show_heeded()
        self._show_share()

    @property
    def form(self) -> QFormLayout:
        """The rows, for alignment with other forms."""
        return self._form

    @property
    def figure(self) -> str:
        """Name of the chosen figure."""
        return self._figure.currentData()

    @property
    def paper(self) -> FigureSize:
        """The chosen size, with font and lines."""
        return self._style.paper

    @property
    def style_rows(self) -> ExportStyle:
        """Says how large the figure is, and how it is written."""
        return self._style

    @property
    def choices(self) -> FigureChoices:
        """Everything that was chosen about how figures are drawn."""
        return self._choices

    def _arrange(self, settings: ExportSettings) -> None:
        smoothing = QWidget(self)
        line = QHBoxLayout(smoothing)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._smoothing, 1)
        line.addWidget(self._share)
        self._share.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.9999"))
        self._share.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._rows: dict[str, QWidget] = {
            "task": self._task,
            "x": self._x,
            "smoothing": smoothing,
            "legend": self._legend,
            "log_y": self._log_y,
            "sort": self._sort,
        }
        add_row(self._form, "&Figure", self._figure, self._figure)
        self._style = ExportStyle(self._form, settings, self)
        for text, field, editor in (
            ("&Task", self._task, self._task),
            ("&X axis", self._x, self._x),
            ("S&moothing", smoothing, self._smoothing),
            ("Sort b&y", self._sort, self._sort),
            ("Le&gend", self._legend, self._legend),
        ):
            add_row(self._form, text, field, editor)
        self._form.addRow("", self._log_y)

    def _connect(self) -> None:
        self._figure.currentIndexChanged.connect(self._on_figure_chosen)
        self._smoothing.valueChanged.connect(self._on_smoothing_moved)
        self._style.changed.connect(self.changed)
        for box in (self._task, self._x, self._legend, self._sort):
            box.currentIndexChanged.connect(self._on_edited)
        self._log_y.toggled.connect(self._on_edited)

    def _on_figure_chosen(self) -> None:
        self._show_heeded()
        self.changed.emit()

    def _on_smoothing_moved(self, position: int) -> None:
        self._choices = replace(self._choices, smoothing=share_at(position))
        self._show_share()
        self.changed.emit()

    def _on_edited(self) -> None:
        self._choices = replace(
            self._choices,
            task=self._task.currentData(),
            x=self._x.currentData(),
            legend=self._legend.currentData(),
            log_y=self._log_y.isChecked(),
            sort=self._sort.currentData(),
        )
        self.changed.emit()

    def _show_heeded(self) -> None:
        """Show only what the figure heeds."""
        heeds = figures()[self.figure].heeds
        for name, field in self._rows.items():
            self._form.setRowVisible(field, name in heeds)

    def _show_share(self) -> None:
        self._share.setText(share_text(self._choices.smoothing))


def task_entries(history: "RunHistory") -> list[tuple[str, object]]:
    """Return text and value of each held-out task whose curves are kept."""
    tasks = history.held_out_tasks
    if tasks is None:
        return [("1", 0)]
    entries: list[tuple[str, object]] = []
    for index in range(tasks.num_gallery):
        values = tasks.words(index, "{:.2f}".format)
        entries.append((f"{index + 1}: {values}", index))
    return entries


def sort_entries(history: "RunHistory") -> list[tuple[str, object]]:
    """Return text and value of each order of the gallery."""
    tasks = history.held_out_tasks
    names = () if tasks is None else tasks.parameter_names
    return [
        (name.replace("_", " ").capitalize(), name)
        for name in (BY_TASK, BY_LOSS, *names)
    ]
