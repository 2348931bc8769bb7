"""Proposed changes after a divergence, from what blew up and from the settings.

The one place that gives such advice, to the terminal and to the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from metalab.catalog.components import option_specs
from metalab.core.hypergradient.base import Target

if TYPE_CHECKING:
    from pydantic import BaseModel

    from metalab.core.inner.base import InnerLoop
    from metalab.engine.events import Diverged
    from metalab.experiment.config import ExperimentConfig

OF_INNER_LOOP = ("adaptation_distance", "support_loss_after", "outer_loss")
"""Metrics that blow up first where a task's adaptation does."""

OF_HYPERGRADIENT = ("hypergradient_norm",)
"""Those that do where the estimate does, of tasks that adapted well. What is left, the
losses before adaptation and phi itself, blows up where an outer step went too far."""


class Change(Enum):
    """What to do with a setting."""

    LOWER = "lower"
    RAISE = "raise"
    SET = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One change that may keep a run from diverging.

    Attributes:
        path: The setting, for example "inner.inner_lr".
        label: As the form calls it.
        value: What it is now.
        change: What to do with it.
        reason: Why, as the end of a sentence.
    """

    path: str
    label: str
    value: float
    change: Change
    reason: str

    def named(self, *, by_label: bool) -> str:
        """Return the change in a few words, by the form's label or by the path."""
        name = self.label if by_label else self.path
        return f"{self.change.value} {name} (now {self.value:g})"


def advice(config: "ExperimentConfig", diverged: "Diverged") -> tuple[Advice, ...]:
    """Return changes that fit a divergence, the likeliest first; none where none would.

    An outer step adapts, estimates, and moves phi; the first number that went bad tells
    in which of the three it happened.

    Args:
        config: The experiment at that outer step.
        diverged: What went wrong.
    """
    if diverged.quantity in OF_INNER_LOOP:
        found = _for_inner_loop(config, diverged.step)
    elif diverged.quantity in OF_HYPERGRADIENT:
        found = _for_estimate(config, diverged.step)
    else:
        found = [*_for_outer_step(config), *_for_series(config)]
    once: dict[str, Advice] = {}
    for entry in found:
        once.setdefault(entry.path, entry)
    return tuple(once.values())


def in_words(changes: Sequence[Advice], *, by_label: bool = False) -> str:
    """Return advice as sentences; "" where there is none.

    Args:
        changes: From `advice`.
        by_label: Whether to use the labels of the form instead of paths.
    """
    if not changes:
        return ""
    first, *rest = changes
    text = f"{_capitalised(first.named(by_label=by_label))}: {first.reason}."
    others = [entry.named(by_label=by_label) for entry in rest]
    return f"{text} Or {', or '.join(others)}." if others else text


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _for_inner_loop(config: "ExperimentConfig", step: int) -> list[Advice]:
    from metalab.core.inner.descent import Descent  # noqa: PLC0415 - torch

    component = config.inner.component
    outer = _for_outer_step(config)
    own = _setting(config, "inner.inner_lr", Change.LOWER, _too_long(component))
    if component.rate_is_fixed and issubclass(component, Descent):
        return [*own, *_momentum(config), *outer]
    if component.rate_is_fixed and not component.learned:
        return [*own, *outer]
    if not component.learned:
        own = _strengths(config)
    # Later on, rates and features are what the outer loop has made of them.
    return [*own, *outer] if _is_near_start(config, step) else [*outer, *own]


def _too_long(component: "type[InnerLoop]") -> str:
    """Return why a smaller inner lr may help."""
    from metalab.core.inner.descent import Descent  # noqa: PLC0415 - torch

    if not component.rate_is_fixed:
        return f"the {component.learned} start there"
    if issubclass(component, Descent):
        return (
            "an inner loop diverges above 2/L, L the largest eigenvalue of its loss's "
            "Hessian"
        )
    return "it scales every step of the inner loop"


def _is_near_start(config: "ExperimentConfig", step: int) -> bool:
    """Return whether the outer loop can hardly have changed what a task descends by.

    A step of Adam moves a number by about `outer_lr`; rates are as large as their start.
    """
    reach = (step - 1) * config.outer.optimizer.options().get("outer_lr", 0.0)
    return reach < config.inner.options().get("inner_lr", 1e-12)


def _for_estimate(config: "ExperimentConfig", step: int) -> list[Advice]:
    series = _for_series(config)
    if series:
        return series
    if config.hypergradient.component.target is Target.SOLUTION:
        reason = "the linear system of an implicit hypergradient is nearly singular"
        damping = [
            entry
            for name in ("damping", "cg_damping")
            for entry in _setting(config, f"hypergradient.{name}", Change.RAISE, reason)
        ]
        return [*damping, *_strengths(config)]
    # Of K steps: a product of as many factors I - lr H.
    return _for_inner_loop(config, step)


def _for_series(config: "ExperimentConfig") -> list[Advice]:
    return _setting(
        config,
        "hypergradient.step_size",
        Change.LOWER,
        "the series diverges above 2/L, L the largest eigenvalue of the Hessian that it "
        "inverts",
    )


def _for_outer_step(config: "ExperimentConfig") -> list[Advice]:
    if not config.outer.optimizer.component.moves:
        return []
    rate = _setting(
        config, "outer.optimizer.outer_lr", Change.LOWER, "an outer step went too far"
    )
    if config.outer.clip_norm > 0:
        return rate
    reason = "it bounds what one meta-batch can do"
    return [*rate, *_setting(config, "outer.clip_norm", Change.SET, reason)]


def _momentum(config: "ExperimentConfig") -> list[Advice]:
    if config.inner.options().get("momentum", 0) == 0:
        return []
    return _setting(config, "inner.momentum", Change.LOWER, "it adds to every step")


def _strengths(config: "ExperimentConfig") -> list[Advice]:
    """Return to raise what keeps an inner problem well conditioned."""
    reason = "a stronger regulariser conditions the inner problem better"
    return [
        entry
        for name in ("strength", "prior_strength")
        for entry in _setting(config, f"meta.{name}", Change.RAISE, reason)
    ]


def _setting(
    config: "ExperimentConfig", path: str, change: Change, reason: str
) -> list[Advice]:
    """Return advice on a setting, if the experiment has it."""
    *sections, name = path.split(".")
    section: Any = config
    for part in sections:
        section = getattr(section, part)
    kind: type[BaseModel] = type(section)
    spec = option_specs(kind).get(name)
    if spec is None:
        return []
    value = getattr(section, name)
    return [
        Advice(path=path, label=spec.label, value=value, change=change, reason=reason)
    ]
