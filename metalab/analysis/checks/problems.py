"""Small problems in float64 that components are tried on, and comparisons of numbers."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from metalab.analysis.checks.verdict import SkipError, require
from metalab.catalog.slots import META_PARAMETERISATIONS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import (
    EstimateContext,
    Hypergradient,
    HypergradientEstimator,
    outer_loss_at,
)
from metalab.core.inner.base import InnerLoop, InnerRequirement
from metalab.core.loss.base import Loss
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.base import Model
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.spec import OptionSpec, option_default, option_spec
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch

FLOAT64 = torch.float64
NUM_TASKS = 3
NUM_STEPS = 3
SHOTS, QUERIES = (5, 3, 4), (4, 1, 2)
"""Points of tasks of unequal sizes."""

_DIRECTIONS = 4
_FILL = 50.0
"""Added to what fills tasks up: it would be noticed."""

CONTEXT = EstimateContext(weights=None, streams=RandomStreams(0), step=0)


def generator(seed: int = 0) -> torch.Generator:
    """Return a seeded generator."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = FLOAT64) -> Tensor:
    """Draw normal numbers."""
    return torch.randn(shape, generator=generator(seed), dtype=dtype)


def _points(sizes: tuple[int, ...], dims: tuple[int, int], seed: int) -> Samples:
    widest, equal = max(sizes), len(set(sizes)) == 1
    x = normal(len(sizes), widest, dims[0], seed=seed)
    y = normal(len(sizes), widest, dims[1], seed=seed + 1)
    if equal:
        return Samples(x=x, y=y)
    mask = (torch.arange(widest) < torch.tensor(sizes)[:, None]).to(FLOAT64)
    fill = _FILL * (1 - mask[..., None])
    return Samples(x=x + fill, y=y + fill, mask=mask)


def batch(
    *,
    dims: tuple[int, int] = (1, 1),
    shots: tuple[int, ...] = (5,) * NUM_TASKS,
    queries: tuple[int, ...] = (4,) * NUM_TASKS,
) -> TaskBatch:
    """Return unrelated random points; tasks of different sizes are filled up.

    Args:
        dims: Numbers of inputs and of outputs.
        shots: Support points of each task.
        queries: Query points of each task.
    """
    return TaskBatch(
        parameters=torch.zeros(len(shots), 1, dtype=FLOAT64),
        support=_points(shots, dims, 10),
        query=_points(queries, dims, 20),
    )


def unequal_batch() -> TaskBatch:
    """Return tasks of different sizes."""
    return batch(shots=SHOTS, queries=QUERIES)


def alone(whole: TaskBatch, task: int) -> TaskBatch:
    """Return one task of `unequal_batch` as a batch of its own, without a mask."""
    row = whole.rows(task, task + 1)
    return TaskBatch(
        parameters=row.parameters,
        support=replace(row.support.first(SHOTS[task]), mask=None),
        query=replace(row.query.first(QUERIES[task]), mask=None),
    )


def problem(
    *,
    model: Model | None = None,
    meta: MetaParameterisation | None = None,
    loss: Loss | None = None,
) -> BilevelProblem:
    """Return a small problem with some parts of one's own."""
    meta = meta or Initialisation()
    if model is None:
        model = MLP(
            input_dim=1 + meta.extra_inputs,
            output_dim=1,
            hidden_sizes=(4, 3),
            activation="tanh",
        )
    return BilevelProblem(model=model, meta=meta, loss=loss or SquaredError())


def phi_of(bilevel: BilevelProblem, inner: InnerLoop) -> Tensor:
    """Draw meta-parameters, those of the inner loop included, and move them a little."""
    source = generator()
    shaping = bilevel.meta.initial(bilevel.model, generator=source, dtype=FLOAT64)
    rates = inner.initial_meta(bilevel.adapted, generator=source, dtype=FLOAT64)
    phi = torch.cat([shaping, rates])
    return phi + 0.05 * normal(len(phi), seed=5)


def estimate(
    estimator: HypergradientEstimator, oracle: AutodiffOracle, inner: InnerLoop
) -> Hypergradient:
    """Return an estimate after the inner loop's own K steps."""
    path = inner.run(oracle, num_steps=inner.num_inner_steps, keep=estimator.keep)
    return estimator.estimate(oracle, inner, path, CONTEXT)


def outer_loss(
    bilevel: BilevelProblem, inner: InnerLoop, tasks: TaskBatch
) -> Callable[[Tensor], Tensor]:
    """Return phi -> the mean outer loss after K steps, by forward evaluations alone."""

    def objective(phi: Tensor) -> Tensor:
        oracle = AutodiffOracle(bilevel, phi, tasks)
        return outer_loss_at(oracle, inner, inner.num_inner_steps, CONTEXT).mean()

    return objective


def slope_error(
    function: Callable[[Tensor], Tensor], point: Tensor, gradient: Tensor
) -> float:
    """Return how far a gradient is from differences along a few directions, relatively."""
    step, worst = 1e-5, 0.0
    size = float(gradient.norm()) or 1.0
    for seed in range(_DIRECTIONS):
        along = normal(*point.shape, seed=30 + seed)
        along = along / along.norm()
        ends = [function(point + sign * step * along) for sign in (1, -1)]
        slope = float(ends[0] - ends[1]) / (2 * step)
        worst = max(worst, abs(slope - float((gradient * along).sum())) / size)
    return worst


def relative_error(found: Tensor, right: Tensor) -> float:
    """Return the norm of the difference, relative to that of what is right."""
    size = float(right.norm())
    return float((found - right).norm()) / (size or 1.0)


def require_close(error: float, most: float, what: str) -> str:
    """Fail a check whose error is too large; return the error in words.

    Raises:
        CheckError: It is.
    """
    require(error <= most, f"{what} differ by {error:.1e}; allowed: {most:.0e}")
    return f"relative error {error:.1e}"


def metas_for(inner: type[InnerLoop]) -> list[MetaParameterisation]:
    """Return what can be meta-learned with an inner loop: plain, and shaping the loss."""
    found = [
        meta
        for meta in (kind() for kind in META_PARAMETERISATIONS.components.values())
        if _goes_with(inner, meta) and not meta.is_probabilistic
    ]
    # The plain ones first, then those whose phi enters the inner loss too.
    found.sort(key=lambda meta: (type(meta) is not Initialisation, meta.name))
    shaping = [meta for meta in found if meta.shapes_inner_loss]
    return list(dict.fromkeys([*found[:1], *shaping[:2]]))


def _goes_with(inner: type[InnerLoop], meta: MetaParameterisation) -> bool:
    return {
        InnerRequirement.NOTHING: True,
        InnerRequirement.STATIONARY_POINT: meta.regularised,
        InnerRequirement.CLOSED_FORM: meta.closed_form,
        InnerRequirement.ANCHOR: meta.isotropic
        and any(PhiRole.START in ways for ways in meta.ways),
    }[inner.needs]


def at_bounds(component: type[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each option at each of its bounds or choices, in words and as arguments.

    Raises:
        SkipError: There are no options.
    """
    options = [(e, spec) for e in fields(component) if (spec := option_spec(e))]
    if not options:
        raise SkipError("it has no options")
    for entry, spec in options:
        for value in _bounds(spec, option_default(entry)):
            yield f"{entry.name} = {value!r}", {entry.name: value}


def _bounds(spec: OptionSpec, default: Any) -> tuple[Any, ...]:
    if spec.choices:
        return spec.choices
    if spec.max_length:
        return (default,)
    low = None if spec.exclusive else spec.low
    ends = [end for end in (low, spec.high) if end is not None]
    if isinstance(default, tuple):
        return tuple((int(end),) for end in ends)
    return tuple(int(end) if isinstance(default, int) else float(end) for end in ends)


def require_global_generator_untouched(draw: Callable[[], object]) -> None:
    """Fail a check whose component draws from torch's global generator.

    Raises:
        CheckError: It does.
    """
    before = torch.get_rng_state()
    draw()
    require(
        torch.equal(torch.get_rng_state(), before),
        "it draws from torch's global generator, not from the one that is passed in",
    )
