"""Plan of the kernels: what they support, and the numbers they are given."""

from dataclasses import dataclass, fields

import numpy as np

from metalab.core.fused import indices
from metalab.core.fused.layout import (
    LAYERS,
    PER_LAYER,
    ROW,
    ROW_UNITS,
    TANGENT_UNITS,
    WEIGHTS,
    Integers,
    Layout,
)
from metalab.core.fused.support import (
    adapts_some_layers,
    cost_of,
    oracle_unsupported_reason,
    part_unsupported_reason,
)
from metalab.core.hypergradient.base import HypergradientEstimator
from metalab.core.hypergradient.joint import Joint
from metalab.core.hypergradient.reptile import Reptile
from metalab.core.hypergradient.truncated import Truncated
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.base import InnerLoop
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.inner.proximal_descent import ProximalDescent
from metalab.core.learner import MetaLearner
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.layer_subset import num_layers
from metalab.core.model.mlp import MLP
from metalab.core.outer import SGD, Adam

MOST_NUMBERS = 2**26
"""Largest workspace of one chunk, in numbers: above this, kernels are memory-bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sizes of a meta-batch.

    Attributes:
        num_tasks: Tasks of one outer step.
        num_shots: Support points of each.
        num_queries: Query points of each.
        num_shots_min: Fewest support points of an outer step's tasks, where it draws how
            many; 0 always takes `num_shots`.
        num_grid_points: Points of the curves that are drawn of a task; 0 draws none.
    """

    num_tasks: int
    num_shots: int
    num_queries: int
    num_shots_min: int = 0
    num_grid_points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPlan:
    """What the kernels are told.

    Attributes:
        layout: Of the network.
        plan: Whole numbers of `indices`.
        scalars: Real numbers of `indices`.
        ranges: Padded parameters that share a rate, [group, 2].
        order: Where each meta-parameter lies in the padded vector, [meta].
        num_numbers: Length of a chunk's workspace.
        most_steps: Largest K.
    """

    layout: Layout
    plan: Integers
    scalars: np.ndarray
    ranges: Integers
    order: Integers
    num_numbers: int
    most_steps: int


_HEEDED = frozenset(
    {
        *("problem", "inner", "hypergradient", "outer", "num_steps", "objective"),
        *("schedule", "schedule_floor", "warmup_steps", "clip_norm"),
        *("first_order_steps", "inner_schedule", "slots_from", "measures_all"),
        # How a step is computed, not what.
        *("fused", "compiled"),
    }
)
"""Fields of a meta-learner that kernels, or who calls them, go by."""


def _unheeded(learner: MetaLearner) -> str | None:
    """Return which setting a kernel would ignore: one added to meta-learners since."""
    for entry in fields(learner):
        if entry.name not in _HEEDED and getattr(learner, entry.name) != entry.default:
            return f"there is no compiled kernel for {entry.name}"
    return None


def unsupported_reason(learner: MetaLearner, counts: Counts) -> str | None:
    """Return why the kernels cannot run a meta-learner, or None if they can."""
    found = (
        _unheeded(learner)
        or adaptation_unsupported_reason(learner)
        or part_unsupported_reason("hypergradient", learner.hypergradient)
        or part_unsupported_reason("outer.optimizer", learner.outer)
    )
    if found is not None:
        return found
    if counts.num_shots_min > 0:
        return "there is no compiled kernel for tasks.num_shots_min"
    if learner.first_order_steps > 0 and not _sweeps(learner.hypergradient):
        return (
            "there is no compiled kernel for outer.first_order_steps with hypergradient "
            f"{learner.hypergradient.name!r}"
        )
    numbers = make_plan(learner, counts, num_chunks=1).num_numbers
    if numbers > MOST_NUMBERS:
        return f"a task would take {numbers:,} numbers of memory"
    return None


def adaptation_unsupported_reason(learner: MetaLearner) -> str | None:
    """Return why the kernels cannot adapt tasks by a meta-learner, or None."""
    inner = learner.inner
    if type(learner) is not MetaLearner:
        return f"there is no compiled kernel for {type(learner).__qualname__}"
    found = oracle_unsupported_reason(learner.problem) or part_unsupported_reason(
        "inner", inner
    )
    if found is not None:
        return found
    if type(inner) is not GradientDescent:
        return None
    without = ("inner_clamp", "inner_clip_norm", "inner_weight_decay")
    asked = next((name for name in without if getattr(inner, name) > 0), None)
    return None if asked is None else f"there is no compiled kernel for inner.{asked}"


def make_plan(
    learner: MetaLearner,
    counts: Counts,
    *,
    num_chunks: int,
    num_steps: int | None = None,
) -> KernelPlan:
    """Return what the kernels are told about a meta-learner that they can run.

    Args:
        learner: The meta-learner.
        counts: Sizes of a meta-batch.
        num_chunks: Parts of it that are computed apart.
        num_steps: Most inner steps; None takes those of training.
    """
    model = learner.problem.model
    assert type(model) is MLP, "checked by oracle_obstacle"
    layout = Layout(layer_sizes=model.layer_sizes, activation=model.activation)
    plan = np.zeros(indices.PLAN_SIZE, dtype=np.int64)
    scalars = np.zeros(indices.SCALARS_SIZE)
    plan[[indices.NUM_TASKS, indices.SHOTS, indices.QUERIES]] = (
        counts.num_tasks,
        counts.num_shots,
        counts.num_queries,
    )
    plan[[indices.CHUNKS, indices.WORKERS]] = num_chunks, num_chunks
    scalars[indices.CLIP] = learner.clip_norm
    for cost, loss in (
        (indices.INNER_COST, learner.problem.loss),
        (indices.OUTER_COST, learner.problem.outer_level_loss),
    ):
        scalars[cost : cost + indices.COST_SIZE] = cost_of(loss, model.output_dim)
    plan[indices.MEASURES_ALL] = learner.measures_all
    plan[indices.WEIGHTED] = learner.objective.loss != "final"
    _describe_method(learner.hypergradient, plan)
    _describe_optimiser(learner, plan, scalars)
    ranges, rate_order = _describe_rates(learner, layout, plan)
    order = [layout.order, *_describe_inner(learner, layout, plan, scalars), rate_order]
    plan[indices.STORES] = bool(
        plan[indices.RATES] != indices.ONE_RATE
        or plan[indices.ANCHORED]
        or plan[indices.TOLERANT]
        or plan[indices.MOMENTUM]
    )
    plan[indices.GRID_POINTS] = counts.num_grid_points
    most_steps = num_steps or max(
        learner.inner.num_inner_steps, learner.inner_schedule.num_steps_start
    )
    return KernelPlan(
        layout=layout,
        plan=plan,
        scalars=scalars,
        ranges=ranges,
        order=np.concatenate(order),
        num_numbers=_place(layout, plan, most_steps),
        most_steps=most_steps,
    )


def fixed_rate(inner: InnerLoop) -> float:
    """Return the step size that an inner loop is set to; 0 where rates are learned."""
    if type(inner) is GradientDescent or type(inner) is ProximalDescent:
        return inner.inner_lr
    return 0.0


def num_exact(estimator: HypergradientEstimator, num_steps: int) -> int:
    """Return how many inner steps an estimator differentiates exactly."""
    if type(estimator) is Unrolled:
        return num_steps
    if type(estimator) is Truncated:
        return min(estimator.num_backprop_steps, num_steps)
    return 0


def _sweeps(estimator: HypergradientEstimator) -> bool:
    """Return whether an estimator is a sweep that is exact for some last steps.

    The kernels are told one method for a whole run, and for each outer step how many inner
    steps are exact: a first-order beginning can go over into a sweep, and nothing else.
    """
    return type(estimator) is not Reptile and type(estimator) is not Joint


def _describe_method(estimator: HypergradientEstimator, plan: Integers) -> None:
    plan[indices.METHOD] = indices.SWEEP
    if type(estimator) is Reptile:
        plan[indices.METHOD] = indices.REPTILE
    if type(estimator) is Joint:
        plan[indices.METHOD] = indices.JOINT


def _describe_optimiser(
    learner: MetaLearner, plan: Integers, scalars: np.ndarray
) -> None:
    outer = learner.outer
    if type(outer) is Adam:
        plan[indices.OPTIMISER] = indices.ADAM
        scalars[[indices.BETA1, indices.BETA2]] = outer.beta1, outer.beta2
        scalars[[indices.EPSILON, indices.DECAY]] = outer.epsilon, outer.weight_decay
    elif type(outer) is SGD:
        kind = indices.SGD_MOMENTUM if outer.momentum > 0 else indices.SGD
        plan[indices.OPTIMISER] = kind
        scalars[[indices.OUTER_MOMENTUM, indices.DECAY]] = (
            outer.momentum,
            outer.weight_decay,
        )
    else:
        plan[indices.OPTIMISER] = indices.NO_UPDATE


def _describe_inner(
    learner: MetaLearner, layout: Layout, plan: Integers, scalars: np.ndarray
) -> list[Integers]:
    """Fill in how a task descends; return where a learned strength lies."""
    inner, meta = learner.inner, learner.problem.meta
    if type(inner) is GradientDescent:
        plan[indices.BATCH_SIZE] = inner.inner_batch_size
        plan[indices.MOMENTUM] = inner.momentum > 0
        scalars[indices.INNER_MOMENTUM] = inner.momentum
    if type(inner) is ProximalDescent:
        plan[indices.TOLERANT] = 1
        scalars[indices.TOLERANCE] = inner.tolerance
    plan[indices.STRENGTH_INDEX] = -1
    plan[indices.META] = layout.num_parameters + plan[indices.NUM_RATES]
    if type(meta) is not ProximalAnchor:
        return []
    plan[indices.ANCHORED] = 1
    scalars[indices.STRENGTH] = meta.strength
    if meta.strength_is == "fixed":
        return []
    place = int(plan[indices.META])
    plan[indices.STRENGTH_INDEX] = place
    plan[indices.META] += 1
    return [np.array([place])]


def _describe_rates(
    learner: MetaLearner, layout: Layout, plan: Integers
) -> tuple[Integers, Integers]:
    """Fill in what shares a rate; return the groups, and where learned rates lie."""
    meta, model, inner = learner.problem.meta, learner.problem.model, learner.inner
    first, end = 0, num_layers(model)
    if adapts_some_layers(meta):
        first, end = meta.adapted_layers(end)
    layers = np.array([layout.layer_range(layer) for layer in range(first, end)])
    whole = np.array([[layers[0, 0], layers[-1, 1]]])
    plan[[indices.ADAPTED_START, indices.ADAPTED_END]] = whole[0]
    plan[indices.RATE_STEPS] = 1
    none = np.empty(0, dtype=np.int64)
    if type(inner) is not LearnedDescent:
        partial = adapts_some_layers(meta)
        plan[indices.RATES] = indices.RATE_GROUPS if partial else indices.ONE_RATE
        plan[indices.GROUPS] = 1
        return whole, none
    plan[indices.LEARNED] = 1
    plan[indices.EXPONENTIAL] = inner.parameterisation == "exponential"
    if inner.granularity == "per-parameter":
        plan[indices.RATES] = indices.RATE_EACH
        plan[indices.NUM_RATES] = layout.num_parameters
        inside = (layout.order >= whole[0, 0]) & (layout.order < whole[0, 1])
        return whole, layout.num_parameters + layout.order[inside]
    plan[indices.RATES] = indices.RATE_GROUPS
    groups = whole if inner.granularity == "shared" else layers
    plan[indices.GROUPS] = len(groups)
    if inner.granularity == "per-layer-per-step":
        plan[indices.RATE_STEPS] = inner.num_inner_steps
    plan[indices.NUM_RATES] = plan[indices.RATE_STEPS] * len(groups)
    start = layout.num_parameters
    return groups, np.arange(start, start + plan[indices.NUM_RATES])


def _place(layout: Layout, plan: Integers, most_steps: int) -> int:
    """Fill in the places of a workspace; return its length."""
    net = layout.description
    parameters, weights = layout.num_parameters, int(net[WEIGHTS])
    shots, queries = int(plan[indices.SHOTS]), int(plan[indices.QUERIES])
    outputs, row = layout.layer_sizes[-1], int(net[LAYERS + PER_LAYER * 0 + ROW])
    grid = int(plan[indices.GRID_POINTS])
    act = _rounded(shots * int(net[ROW_UNITS]))
    plan[indices.ACT] = act
    stored = most_steps if plan[indices.STORES] else 0
    rate_steps = (
        0 if plan[indices.RATES] == indices.ONE_RATE else plan[indices.RATE_STEPS]
    )
    velocity = parameters if plan[indices.MOMENTUM] else 0
    sizes = {
        indices.THETA: weights,
        indices.V: weights,
        indices.U: weights if stored else 0,
        indices.SUM: int(plan[indices.META]),
        indices.PATH: most_steps * weights,
        indices.GRADS: stored * parameters,
        indices.ALPHA: int(rate_steps) * parameters,
        indices.VELOCITY: velocity,
        indices.VELOCITY_BAR: velocity,
        indices.XS: shots * row,
        indices.YS: shots * outputs,
        indices.XQ: queries * row,
        indices.YQ: queries * outputs,
        indices.MS: shots,
        indices.MQ: queries,
        indices.ACTS: most_steps * act,
        indices.OUTER_ACT: max(shots, queries, grid) * int(net[ROW_UNITS]),
        indices.GRID: grid * row,
        indices.GRID_TARGETS: grid * outputs,
        indices.TANGENTS: shots * int(net[TANGENT_UNITS]),
    }
    end = 0
    for place, size in sizes.items():
        plan[place] = end
        end += _rounded(size)
    return end


def _rounded(size: int) -> int:
    """Return the size up to the next cache line of the shortest numbers."""
    return -(-size // 16) * 16
