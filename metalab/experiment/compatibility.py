"""Combinations that make no sense: the reason, and the nearest valid choice."""

from typing import TYPE_CHECKING

from metalab.catalog.components import option_specs
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.hypergradient.base import HypergradientEstimator, Target
from metalab.core.inner.base import InnerLoop, InnerRequirement
from metalab.core.loss.as_inner import AsInner
from metalab.core.loss.base import Loss
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.base import PhiRole
from metalab.core.tasks import Targets
from metalab.experiment.memory_needs import memory_refusal

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

PREFERENCE = ("unrolled", "implicit-cg")
"""Which estimators are proposed first, where several would do."""

FALLBACK_INNER = "gradient-descent"
"""The inner loop that asks nothing of the inner problem."""


FALLBACK_MODEL = "mlp"
"""The model that has every capability."""


def refusal(config: "ExperimentConfig") -> str | None:
    """Return why a combination makes no sense and what to choose instead, or None."""
    reason = _tasks_refusal(config) or model_refusal(config) or loss_refusal(config)
    if reason is not None:
        return reason
    inner_reason = inner_refusal(config, config.inner.component)
    if inner_reason is not None:
        return (
            f"inner.kind is {config.inner.kind!r}: {inner_reason}; nearest valid "
            f"choice: inner.kind = {FALLBACK_INNER!r}"
        )
    reason = estimator_refusal(config, config.hypergradient.component)
    if reason is not None:
        valid = valid_estimators(config)
        nearest = next((name for name in PREFERENCE if name in valid), valid[0])
        return (
            f"hypergradient.kind is {config.hypergradient.kind!r}: {reason}; nearest "
            f"valid choice: hypergradient.kind = {nearest!r}"
        )
    return (
        _objective_refusal(config)
        or _floor_refusal(config)
        or _setting_refusal(config)
        or memory_refusal(config)
    )


def _tasks_refusal(config: "ExperimentConfig") -> str | None:
    """Return why tasks of so many support points cannot be drawn, or None."""
    family = config.tasks.family.build()
    for num_shots in (config.tasks.num_shots, config.eval_shots):
        reason = family.refusal(num_shots)
        if reason is not None:
            return reason
    return None


def inner_refusal(config: "ExperimentConfig", inner: type[InnerLoop]) -> str | None:
    """Return why an inner loop does not go with what is meta-learned, or None."""
    meta = config.meta.build()
    starts = any(PhiRole.START in ways for ways in meta.ways)
    met = {
        InnerRequirement.NOTHING: True,
        InnerRequirement.STATIONARY_POINT: meta.regularised,
        InnerRequirement.CLOSED_FORM: meta.closed_form
        and _squares(config.loss.component),
        InnerRequirement.ANCHOR: meta.isotropic and starts,
    }[inner.needs]
    if met:
        return None
    if meta.closed_form and inner.needs is InnerRequirement.CLOSED_FORM:
        return (
            f"it needs {inner.needs.value}; loss.kind {config.loss.kind!r} is another"
        )
    return f"it needs {inner.needs.value}; meta.kind {config.meta.kind!r} has none"


def _squares(loss: type[Loss]) -> bool:
    """Return whether a loss is the squared error itself; a subclass may be another."""
    return loss is SquaredError


def model_refusal(config: "ExperimentConfig") -> str | None:
    """Return why the model does not go with what is meta-learned, or None."""
    needed = config.meta.component.needs_model
    if issubclass(config.model.component, needed):
        return _obstacle(config)
    return (
        f"model.kind is {config.model.kind!r}, which lacks {needed.capability}, and "
        f"meta.kind {config.meta.kind!r} needs it; nearest valid choice: model.kind = "
        f"{FALLBACK_MODEL!r}"
    )


def _obstacle(config: "ExperimentConfig") -> str | None:
    """Return why the network cannot be made for these tasks, or None."""
    reason = _input_refusal(config)
    if reason is not None:
        return reason
    reason = config.build_model().obstacle()
    if reason is None:
        return None
    return (
        f"model.kind is {config.model.kind!r}: {reason}; nearest valid choice: "
        f"model.kind = {FALLBACK_MODEL!r}"
    )


def loss_refusal(config: "ExperimentConfig") -> str | None:
    """Return why a loss does not go with the tasks or what is meta-learned, or None."""
    for path, kind, loss, nearest in (
        ("loss.kind", config.loss.kind, config.loss.component, SquaredError.name),
        (
            *("query_loss.kind", config.query_loss.kind),
            *(config.loss_of_queries.component, AsInner.name),
        ),
    ):
        reason = _targets_refusal(config, loss) or _posterior_refusal(config, loss)
        if reason is not None:
            return f"{path} is {kind!r}, {reason}; nearest valid choice: {path} = {nearest!r}"
    return _outputs_refusal(config)


def _outputs_refusal(config: "ExperimentConfig") -> str | None:
    """Return why the network can have no outputs beside its predictions, or None."""
    if not config.meta.component.one_output_a_target:
        return None
    targets = config.tasks.family.build().output_dim
    outputs = config.build_model().output_dim
    if outputs == targets:
        return None
    return (
        f"the losses take {outputs} outputs for {targets} target(s), and meta.kind "
        f"{config.meta.kind!r} has one output a target; nearest valid choice: a loss with "
        "noise_is = 'fixed'"
    )


def _targets_refusal(config: "ExperimentConfig", loss: type[Loss]) -> str | None:
    family = config.tasks.family
    drawn = family.component.targets
    if loss.targets is Targets.NUMBERS or drawn is loss.targets:
        # Probabilities are numbers too: their squared error is the Brier score.
        return None
    return (
        f"which takes {loss.targets.value}, and tasks.family.kind {family.kind!r} draws "
        f"{drawn.value}"
    )


def _posterior_refusal(config: "ExperimentConfig", loss: type[Loss]) -> str | None:
    if not config.meta.component.is_probabilistic or _squares(loss):
        return None
    return f"and meta.kind {config.meta.kind!r} is the posterior of the squared error"


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
    if config.inner.component.learned:
        parts.append(frozenset({PhiRole.RATES}))
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
    if estimator.target is Target.SOLUTION and config.loss.component.gradient_jumps:
        return (
            "it differentiates a minimum of the inner loss, and the derivative of "
            f"loss.kind {config.loss.kind!r} jumps where its minima lie, so that there is "
            "no Hessian to invert"
        )
    decay = config.inner.options().get("inner_weight_decay", 0.0)
    if estimator.target is Target.SOLUTION and decay > 0:
        return (
            "it differentiates the solution of an inner problem without weight decay, "
            f"and inner.inner_weight_decay is {decay:g}"
        )
    if estimator.needs_strength and not meta.isotropic:
        return (
            f"it needs a regulariser of one strength for all parameters, and meta.kind "
            f"{config.meta.kind!r} has another"
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
    reason = _ramp_refusal(config)
    if reason is not None:
        return reason
    reason = _shots_refusal(config)
    if reason is not None:
        return reason
    if config.run.device == "mps" and config.run.precision == "float64":
        return "run.precision is 'float64'; allowed on run.device 'mps': float32"
    return None


def _shots_refusal(config: "ExperimentConfig") -> str | None:
    """Refuse numbers of support points that contradict each other."""
    most, fewest = config.tasks.num_shots, config.tasks.num_shots_min
    if fewest > most:
        return (
            f"tasks.num_shots_min is {fewest}; allowed: at most tasks.num_shots, {most}"
        )
    batch_size = config.inner.options().get("inner_batch_size", 0)
    least, name = (fewest, "num_shots_min") if fewest else (most, "num_shots")
    if batch_size > least:
        return (
            f"inner.inner_batch_size is {batch_size}; allowed: at most tasks.{name}, "
            f"{least}"
        )
    if config.tasks.draws_num_shots and config.run.compile == "on":
        # Each number of shots would be a graph of its own, ten to thirty seconds each.
        return (
            f"run.compile is 'on', and tasks.num_shots_min {fewest} is below "
            f"tasks.num_shots {most}: a compiled step has one number of shots; nearest "
            "valid choice: run.compile = 'off'"
        )
    return None


def _input_refusal(config: "ExperimentConfig") -> str | None:
    inputs = config.tasks.family.build().input_dim + config.meta.build().extra_inputs
    only = config.model.component.only_input_dim
    if only is None or inputs == only:
        return None
    return (
        f"model.kind is {config.model.kind!r}: it takes {only} input, and there are "
        f"{inputs} (tasks.family.kind {config.tasks.family.kind!r}, meta.kind "
        f"{config.meta.kind!r}); nearest valid choice: model.kind = {FALLBACK_MODEL!r}"
    )


def _floor_refusal(config: "ExperimentConfig") -> str | None:
    """Refuse a floor that nothing ever comes down to."""
    outer = config.outer
    if outer.schedule != "constant" or outer.schedule_floor == 0:
        return None
    return (
        f"outer.schedule_floor is {outer.schedule_floor:g}, and outer.schedule is "
        "'constant', which does not come down; nearest valid choice: "
        "outer.schedule_floor = 0, or outer.schedule = 'cosine'"
    )


def _ramp_refusal(config: "ExperimentConfig") -> str | None:
    """Refuse start values of an inner ramp that is off, or that the loop cannot take."""
    outer = config.outer
    factor, start = outer.inner_lr_start_factor, outer.num_inner_steps_start
    if factor != 1.0 and not config.inner.component.rate_is_fixed:
        return (
            f"outer.inner_lr_start_factor is {factor:g}, and inner.kind "
            f"{config.inner.kind!r} has no fixed inner lr; nearest valid choice: "
            "outer.inner_lr_start_factor = 1"
        )
    low = int(option_specs(type(config.inner))["num_inner_steps"].low or 1)
    if start != 0 and not low <= start <= config.num_inner_steps:
        nearest = min(max(start, low), config.num_inner_steps)
        return (
            f"outer.num_inner_steps_start is {start}; allowed: 0, or {low} to K, which "
            f"is {config.num_inner_steps}; nearest valid choice: "
            f"outer.num_inner_steps_start = {nearest}"
        )
    if outer.inner_ramp_steps > 0:
        return None
    if factor != 1.0:
        return _without_ramp("inner_lr_start_factor", f"{factor:g}", "1")
    return _without_ramp("num_inner_steps_start", str(start), "0") if start else None


def _without_ramp(name: str, value: str, neutral: str) -> str:
    return (
        f"outer.{name} is {value}, and outer.inner_ramp_steps is 0, so that nothing "
        f"moves from it; nearest valid choice: outer.{name} = {neutral}, or "
        "outer.inner_ramp_steps above 0"
    )
