"""Controls of the Estimators page."""

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from metalab.analysis.comparison import MOST_STEPS
from metalab.core.hypergradient.target import Target
from metalab.ui.plot.ticks import number_text
from metalab.ui.session.engine_access import has_inner_solution, inner_lr
from metalab.ui.widgets.breaking_row import BreakingRow
from metalab.ui.widgets.header import tool_button
from metalab.ui.workspaces.adapt.tools import LabelledSlider

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

_STOPS = 40

_LEAST_DAMPING, _MOST_DAMPING, _STOPS_A_DECADE = -4, 3, 10
"""Powers of ten at the slider's second and last stop; the first stop is no damping."""

_DAMPING_STOPS = 1 + (_MOST_DAMPING - _LEAST_DAMPING) * _STOPS_A_DECADE


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorChoices:
    """Choices of a person; None for the run's own value.

    Attributes:
        num_steps: K of the table.
        inner_lr: Step size of the inner loop.
        damping: Of every estimator that has one.
        seed: Number of the meta-batches.
        against: What the estimates are compared with.
    """

    num_steps: int
    inner_lr: float | None
    damping: float | None
    seed: int
    against: Target


class EstimatorTools(QWidget):
    """Sliders for K, inner lr and damping, what is compared with, and the dice.

    Attributes:
        changed: Something else is chosen.
        against_label: Stands before `against`; both have their place in the header.
        against: What is compared with.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config: ExperimentConfig | None = None
        self._steps: int | None = None
        self._factor, self._seed = 1.0, 0
        self._damping: float | None = None
        self._against = Target.K_STEP
        self.against_label = QLabel("Against", self)
        self.against = QComboBox(self)
        for text, value in (
            ("K inner steps", Target.K_STEP),
            ("Inner solution", Target.SOLUTION),
        ):
            self.against.addItem(text, value)
        self.against.setAccessibleName("Compared with")
        self.dice = tool_button(
            "New batch", "Compare on another meta-batch", parent=self
        )
        self.own = tool_button(
            "Own values",
            "K, inner lr and damping as the run has them",
            parent=self,
        )
        self.stop = tool_button("Stop", "Stop measuring", parent=self)
        self.num_steps = LabelledSlider(
            "K", "Inner steps that are differentiated", self
        )
        self.rate = LabelledSlider("Inner lr", "Step size of the inner loop here", self)
        self.damping = LabelledSlider(
            "Damping",
            "Added to the Hessian by implicit estimators; no others have one",
            self,
        )
        self.num_steps.slider.setRange(1, MOST_STEPS)
        self.rate.slider.setRange(-_STOPS, _STOPS)
        self.damping.slider.setRange(0, _DAMPING_STOPS)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 8, 4)
        sliders = (self.num_steps, self.rate, self.damping)
        layout.addWidget(BreakingRow(sliders, (self.own, self.dice, self.stop), self))
        self.num_steps.moved.connect(self._on_num_steps)
        self.rate.moved.connect(self._on_rate)
        self.damping.moved.connect(self._on_damping)
        self.num_steps.put_back.connect(self._on_own_steps)
        self.rate.put_back.connect(self._on_own_rate)
        self.damping.put_back.connect(self._on_own_damping)
        self.dice.clicked.connect(self._on_dice)
        self.own.clicked.connect(self._on_own)
        self.against.activated.connect(self._on_against)
        self._show()

    @property
    def choices(self) -> EstimatorChoices:
        """Choices as they are now."""
        rate = None if self._config is None else inner_lr(self._config)
        own = rate is None or self._factor == 1
        return EstimatorChoices(
            num_steps=self._num_steps,
            inner_lr=None if own or rate is None else rate * self._factor,
            damping=self._damping,
            seed=self._seed,
            against=self._against if self._has_solution else Target.K_STEP,
        )

    @property
    def wanted_against(self) -> Target:
        """Choice of a person, which a run without a solution cannot follow."""
        return self._against

    @property
    def _num_steps(self) -> int:
        own = 1 if self._config is None else self._config.num_inner_steps
        return self._steps or own

    @property
    def _has_solution(self) -> bool:
        return self._config is not None and has_inner_solution(self._config)

    @property
    def _own_damping(self) -> float:
        if self._config is None:
            return 0.0
        return self._config.hypergradient.options().get("damping", 0.0)

    def set_damped(self, *, damped: bool) -> None:
        """Say whether there is an estimator that has a damping."""
        self.damping.setEnabled(damped)

    def show_run(self, config: "ExperimentConfig") -> None:
        """Begin with the values of a run."""
        self._config = config
        self._steps, self._factor, self._damping = None, 1.0, None
        self._show()

    def show_config(self, config: "ExperimentConfig") -> None:
        """Take what was edited while the run goes on; choices of a person stay."""
        if config is not self._config:
            self._config = config
            self._show()

    def set_seed(self, seed: int) -> None:
        """Choose a meta-batch."""
        self._seed = seed

    def set_against(self, against: Target) -> None:
        """Choose what the estimates are compared with."""
        self._against = against
        self._show()

    def _show(self) -> None:
        steps = self._num_steps
        own = 1 if self._config is None else self._config.num_inner_steps
        self.num_steps.show_value(min(steps, MOST_STEPS), str(steps), own=steps == own)
        rate = None if self._config is None else inner_lr(self._config)
        self.rate.setEnabled(rate is not None)
        text = "–" if rate is None else number_text(rate * self._factor)
        place = round(_STOPS * log10(self._factor))
        self.rate.show_value(place, text, own=self._factor == 1)
        self.against.setEnabled(self._has_solution)
        self.against.setCurrentIndex(self.against.findData(self.choices.against))
        self.against.setToolTip(
            (
                "The exact hypergradient that the estimates are compared with: the "
                "derivative after K inner steps, or the one at the inner solution"
            )
            if self._has_solution
            else (
                "The inner problem has no regulariser, so it has no solution that "
                "depends on the meta-parameters: only K inner steps to compare with"
            )
        )
        damping = self._own_damping if self._damping is None else self._damping
        text = number_text(damping)
        own_damping = damping == self._own_damping
        self.damping.show_value(_stop_of(damping), text, own=own_damping)

    def _change(self) -> None:
        self._show()
        self.changed.emit()

    def _on_num_steps(self, steps: int) -> None:
        self._steps = steps
        self._change()

    def _on_rate(self, place: int) -> None:
        self._factor = 10 ** (place / _STOPS)
        self._change()

    def _on_damping(self, place: int) -> None:
        self._damping = _damping_at(place)
        self._change()

    def _on_own_steps(self) -> None:
        self._steps = None
        self._change()

    def _on_own_rate(self) -> None:
        self._factor = 1.0
        self._change()

    def _on_own_damping(self) -> None:
        self._damping = None
        self._change()

    def _on_dice(self) -> None:
        self._seed += 1
        self._change()

    def _on_against(self, index: int) -> None:
        self._against = self.against.itemData(index)
        self._change()

    def _on_own(self) -> None:
        self._steps, self._factor, self._damping = None, 1.0, None
        self._change()


def _damping_at(stop: int) -> float:
    if stop == 0:
        return 0.0
    return 10 ** (_LEAST_DAMPING + (stop - 1) / _STOPS_A_DECADE)


def _stop_of(damping: float) -> int:
    if damping <= 0:
        return 0
    stop = 1 + round((log10(damping) - _LEAST_DAMPING) * _STOPS_A_DECADE)
    return min(max(stop, 1), _DAMPING_STOPS)
