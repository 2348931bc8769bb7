"""The part of the animation dialog that says what is animated, and how."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QSpinBox,
    QWidget,
)

from metalab.figures.animation.choices import (
    DPI_RANGE,
    FORMATS,
    FPS_RANGE,
    FRAMES_RANGE,
    HOLD_RANGE,
    SWEEPS,
    AnimationChoices,
    known_steps,
)
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.registry import figures
from metalab.figures.sizes import SIZES
from metalab.ui.export.options import task_entries
from metalab.ui.export.rows import add_row, choice_box, dense_form

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

_DPI_STEP = 10
_HOLD_STEP = 0.5


class AnimationOptions(QWidget):
    """Sweep, figure, range of steps, speed, size and format.

    Attributes:
        changed: Something was chosen.
    """

    changed = Signal()

    def __init__(
        self,
        history: "RunHistory",
        choices: FigureChoices,
        parent: QWidget | None = None,
    ) -> None:
        """Offer what can be animated.

        Args:
            history: The run.
            choices: How its figures are drawn at first.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._history = history
        self._figure_choices = choices
        start = AnimationChoices()
        self._sweep = choice_box(
            [("Inner steps", "inner"), ("Outer steps", "outer")],
            start.sweep,
            self,
        )
        self._figure = choice_box([], None, self)
        self._task = choice_box(task_entries(history), choices.task, self)
        self._log_y = QCheckBox("&Logarithmic loss axis", self)
        self._log_y.setChecked(choices.log_y)
        self._first = _whole_box((0, 0), 0, self)
        self._last = _whole_box((0, 0), 0, self)
        self._frames = _whole_box(FRAMES_RANGE, start.num_frames, self)
        self._fps = _whole_box(FPS_RANGE, start.fps, self)
        self._hold_first = _seconds_box(start.hold_first, self)
        self._hold = _seconds_box(start.hold, self)
        self._size = choice_box(
            [(size.title, name) for name, size in SIZES.items()], start.size, self
        )
        self.dpi = _whole_box(DPI_RANGE, start.dpi, self)
        self.dpi.setSingleStep(_DPI_STEP)
        self._format = choice_box(
            [(title, suffix) for suffix, title in FORMATS.items()], ".gif", self
        )
        self._form = dense_form(self)
        self._arrange()
        self._offer_figures()
        self._connect()

    @property
    def suffix(self) -> str:
        """Suffix of the chosen format."""
        return self._format.currentData()

    def choices(self) -> AnimationChoices:
        """Return what is chosen.

        Raises:
            FigureError: It does not go together.
        """
        chosen = replace(
            self._figure_choices,
            task=self._task.currentData(),
            log_y=self._log_y.isChecked(),
        )
        # Without steps there is no range, and what the run lacks is said instead.
        there = self._last.minimum() < self._last.maximum()
        return AnimationChoices(
            figure=self._figure.currentData(),
            sweep=self._sweep.currentData(),
            first=self._first.value(),
            last=self._last.value() if there else None,
            num_frames=self._frames.value(),
            fps=self._fps.value(),
            hold_first=self._hold_first.value(),
            hold=self._hold.value(),
            dpi=self.dpi.value(),
            size=self._size.currentData(),
            figure_choices=chosen,
        )

    def _arrange(self) -> None:
        self._frames.setToolTip("Of more steps, evenly spaced ones are shown")
        for text, field in (
            ("S&weep", self._sweep),
            ("&Figure", self._figure),
            ("&Task", self._task),
            ("F&irst step", self._first),
            ("L&ast step", self._last),
            ("&Most frames", self._frames),
            ("Frames a &second", self._fps),
            ("&Hold the first frame", self._hold_first),
            ("H&old the last frame", self._hold),
            ("Si&ze", self._size),
            ("&Dots per inch", self.dpi),
            ("Fo&rmat", self._format),
        ):
            add_row(self._form, text, field, field)
        self._form.insertRow(3, "", self._log_y)

    def _connect(self) -> None:
        self._sweep.currentIndexChanged.connect(self._on_sweep_chosen)
        self._figure.currentIndexChanged.connect(self._on_figure_chosen)
        for box in (self._task, self._size, self._format):
            box.currentIndexChanged.connect(self.changed)
        self._log_y.toggled.connect(self.changed)
        for box in (self._first, self._last, self._frames, self._fps, self.dpi):
            box.valueChanged.connect(self.changed)
        for box in (self._hold_first, self._hold):
            box.valueChanged.connect(self.changed)

    def _on_sweep_chosen(self) -> None:
        self._figure.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self._offer_figures()
        self._figure.blockSignals(False)  # noqa: FBT003 - Qt's signature
        self.changed.emit()

    def _on_figure_chosen(self) -> None:
        self._offer_steps()
        self.changed.emit()

    def _offer_figures(self) -> None:
        """Offer the figures of the sweep; the one chosen stays if it is among them."""
        before = self._figure.currentData()
        self._figure.clear()
        for name in SWEEPS[self._sweep.currentData()]:
            self._figure.addItem(figures()[name].title, name)
        self._figure.setCurrentIndex(max(0, self._figure.findData(before)))
        self._offer_steps()

    def _offer_steps(self) -> None:
        """Offer all steps that the figure can show; a range ends where they end."""
        figure = self._figure.currentData()
        heeds = figures()[figure].heeds
        self._form.setRowVisible(self._task, "task" in heeds)
        self._form.setRowVisible(self._log_y, "log_y" in heeds)
        try:
            known = known_steps(self._history, self._sweep.currentData(), figure)
            low, high = int(known[0]), int(known[-1])
        except FigureError:
            # Said in the place of the preview, as soon as it is asked for.
            low = high = 0
        for box, value in ((self._first, low), (self._last, high)):
            box.blockSignals(True)  # noqa: FBT003 - Qt's signature
            box.setRange(low, high)
            box.setValue(value)
            box.blockSignals(False)  # noqa: FBT003 - Qt's signature


def _whole_box(bounds: tuple[int, int], value: int, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(*bounds)
    box.setValue(value)
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)
    return box


def _seconds_box(value: float, parent: QWidget) -> QDoubleSpinBox:
    box = QDoubleSpinBox(parent)
    box.setRange(*HOLD_RANGE)
    box.setDecimals(1)
    box.setSingleStep(_HOLD_STEP)
    box.setSuffix(" s")
    box.setValue(value)
    box.setKeyboardTracking(False)
    return box
