"""Combinations that make no sense: the reason, and the nearest valid choice."""

from typing import TYPE_CHECKING

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.hypergradient.base import HypergradientEstimator, Target
from metalab.core.meta.base import Way

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig

PREFERENCE = ("unrolled", "implicit-cg")
"""Which estimators are proposed first, where several would do."""


def refusal(config: "ExperimentConfig") -> str | None:
    """Return why a combination makes no sense and what to choose instead, or None."""
    reason = estimator_refusal(config, config.hypergradient.component)
    if reason is not None:
        valid = valid_estimators(config)
        nearest = next((name for name in PREFERENCE if name in valid), valid[0])
        return (
            f"hypergradient.kind is {config.hypergradient.kind!r}: {reason}; nearest "
            f"valid choice: hypergradient.kind = {nearest!r}"
        )
    return _objective_refusal(config) or _setting_refusal(config)


def valid_estimators(config: "ExperimentConfig") -> tuple[str, ...]:
    """Return the estimators that go with the other parts of an experiment."""
    return tuple(
        name
        for name, estimator in HYPERGRADIENTS.components.items()
        if estimator_refusal(config, estimator) is None
    )


def estimator_refusal(
    config: "ExperimentConfig", estimator: type[HypergradientEstimator]
) -> str | None:
    """Return why an estimator does not go with the other parts, or None."""
    meta = config.meta.build()
    parts = list(meta.ways)
    if config.inner.component.learns_rates:
        parts.append(frozenset({Way.RATES}))
    for ways in parts:
        if not ways & estimator.learns:
            entering = " and ".join(sorted(way.value for way in ways))
            return (
                f"it cannot learn meta-parameters that enter only {entering} "
                f"(meta.kind {config.meta.kind!r}, inner.kind {config.inner.kind!r})"
            )
    if estimator.target is Target.SOLUTION and not meta.regularised:
        return (
            f"it needs an inner problem with a stationary point, and meta.kind "
            f"{config.meta.kind!r} has no regulariser"
        )
    return None


def _objective_refusal(config: "ExperimentConfig") -> str | None:
    estimator = config.hypergradient.component
    if config.outer.loss != "final" and not estimator.weighs_steps:
        return (
            f"outer.loss is {config.outer.loss!r}, and hypergradient.kind "
            f"{config.hypergradient.kind!r} does not look at the inner steps on the way; "
            "nearest valid choice: hypergradient.kind = 'unrolled'"
        )
    if config.outer.first_order_steps > 0:
        reason = estimator_refusal(config, HYPERGRADIENTS.components["first-order"])
        if reason is not None:
            return (
                f"outer.first_order_steps is {config.outer.first_order_steps}, but of "
                f"the first-order hypergradient, {reason}; allowed: 0"
            )
    return None


def _setting_refusal(config: "ExperimentConfig") -> str | None:
    batch_size = config.inner.options().get("inner_batch_size", 0)
    if batch_size > config.tasks.num_shots:
        return (
            f"inner.inner_batch_size is {batch_size}; allowed: at most tasks.num_shots, "
            f"{config.tasks.num_shots}"
        )
    if config.run.device == "mps" and config.run.precision == "float64":
        return "run.precision is 'float64'; allowed on run.device 'mps': float32"
    return None
