"""Checks of a hypergradient estimator."""

from collections.abc import Mapping

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    NUM_STEPS,
    NUM_TASKS,
    alone,
    at_bounds,
    batch,
    estimate,
    phi_of,
    problem,
    relative_error,
    require_close,
    unequal_batch,
)
from metalab.analysis.checks.verdict import Check, SkipError, require
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import (
    Exactness,
    HypergradientEstimator,
    ProblemSize,
    Target,
)
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.base import InnerLoop
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import MetaParameterisation
from metalab.core.meta.initialisation import Initialisation
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import TaskBatch

_UNTIL_SOLVED = 300
"""Inner steps after which K-step and solution's derivative are nearly one."""

_TOLERANCE = 1e-6

_MOST_EVALUATIONS = 500
"""Of an estimate that is tried at the bounds of its options."""


def checks_of_estimator(kind: type[HypergradientEstimator]) -> Mapping[str, Check]:
    """Return the checks of a class of estimators, by what they try."""
    return {
        "shapes": lambda: _shapes(kind),
        "determinism": lambda: _determinism(kind()),
        "against the exact one, phi the start": lambda: _agrees(kind, Initialisation()),
        "against the exact one, phi in the inner loss": lambda: _agrees(
            kind, ProximalAnchor(strength=0.5, strength_is="learned")
        ),
        "cost as declared": lambda: _cost(kind()),
        "tasks of unequal sizes": lambda: _unequal(kind()),
        "options at their bounds": lambda: _bounds(kind),
    }


def _meta_for(kind: type[HypergradientEstimator]) -> MetaParameterisation:
    if kind.target is Target.SOLUTION or kind.needs_strength:
        return ProximalAnchor(strength=0.5)
    return Initialisation()


def _loop(num_steps: int = NUM_STEPS) -> InnerLoop:
    return GradientDescent(num_inner_steps=num_steps, inner_lr=0.1)


def _of(
    estimator: HypergradientEstimator,
    bilevel: BilevelProblem,
    inner: InnerLoop,
    tasks: TaskBatch,
) -> Tensor:
    oracle = AutodiffOracle(bilevel, phi_of(bilevel, inner), tasks)
    return estimate(estimator, oracle, inner).per_task


def _shapes(kind: type[HypergradientEstimator]) -> None:
    bilevel, inner = problem(meta=_meta_for(kind)), _loop()
    oracle = AutodiffOracle(bilevel, phi_of(bilevel, inner), batch())
    found = estimate(kind(), oracle, inner)
    wanted = (NUM_TASKS, oracle.meta_dim)
    require(
        found.per_task.shape == wanted,
        f"per_task is {list(found.per_task.shape)}; allowed: {list(wanted)}",
    )
    require(
        found.outer_loss.shape == (NUM_TASKS,),
        f"outer_loss is {list(found.outer_loss.shape)}; allowed: [{NUM_TASKS}]",
    )
    require(found.per_task.isfinite().all(), "the hypergradient is not finite")


def _determinism(estimator: HypergradientEstimator) -> None:
    kind = type(estimator)
    bilevel, inner = problem(meta=_meta_for(kind)), _loop()
    before = torch.get_rng_state()
    one, other = (_of(estimator, bilevel, inner, batch()) for _ in range(2))
    require(torch.equal(one, other), "two estimates of the same step differ")
    same = torch.equal(torch.get_rng_state(), before)
    require(same, "it draws from torch's global generator, not from its context")


def _agrees(kind: type[HypergradientEstimator], meta: MetaParameterisation) -> str:
    """Compare the mean of the tasks; only what is declared exact has to agree."""
    solution = kind.target is Target.SOLUTION
    if solution and not meta.regularised:
        raise SkipError("it aims at an inner solution, and there is none")
    if kind.needs_strength and not meta.isotropic:
        raise SkipError("it needs a regulariser of one strength")
    missing = [ways for ways in meta.ways if not ways & kind.learns]
    if missing:
        names = " and ".join(sorted(way.value for way in missing[0]))
        raise SkipError(f"it does not learn what enters {names}")
    inner = _loop(_UNTIL_SOLVED if solution else NUM_STEPS)
    bilevel = problem(meta=meta)
    found = _of(kind(), bilevel, inner, batch()).mean(dim=0)
    right = _of(Unrolled(), bilevel, inner, batch()).mean(dim=0)
    cosine = float(torch.nn.functional.cosine_similarity(found, right, dim=0))
    error = relative_error(found, right)
    if kind.exactness is Exactness.EXACT and not solution:
        require(
            error <= _TOLERANCE,
            f"it declares itself exact: cosine {cosine:.6f}, relative error {error:.1e}",
        )
    return f"cosine {cosine:.6f}, relative error {error:.1e} ({kind.exactness.value})"


def _cost(estimator: HypergradientEstimator) -> str:
    kind = type(estimator)
    bilevel, inner = problem(meta=_meta_for(kind)), _loop()
    oracle = AutodiffOracle(bilevel, phi_of(bilevel, inner), batch())
    estimate(estimator, oracle, inner)
    counted = oracle.evaluations
    declared = estimator.cost(_size(oracle))
    asked = counted.gradients - NUM_STEPS
    require(
        asked <= declared.gradients and counted.products <= declared.products,
        f"gradients and products that it asks for are {asked} and {counted.products}; "
        f"declared: {declared.gradients} and {declared.products}",
    )
    return f"{asked} gradients, {counted.products} products"


def _unequal(estimator: HypergradientEstimator) -> str:
    if estimator.draws:
        raise SkipError("it draws at random, differently for one task alone")
    kind = type(estimator)
    bilevel, inner = problem(meta=_meta_for(kind)), _loop()
    whole = unequal_batch()
    together = _of(estimator, bilevel, inner, whole)
    apart = [_of(estimator, bilevel, inner, alone(whole, t)) for t in range(NUM_TASKS)]
    error = relative_error(together, torch.cat(apart))
    return require_close(error, _TOLERANCE, "tasks together and alone")


def _bounds(kind: type[HypergradientEstimator]) -> str:
    bilevel, inner = problem(meta=_meta_for(kind)), _loop()
    size = _size(AutodiffOracle(bilevel, phi_of(bilevel, inner), batch()))
    tried, costly = 0, list[str]()
    for words, options in at_bounds(kind):
        estimator = kind(**options)
        cost = estimator.cost(size)
        if cost.gradients + cost.products > _MOST_EVALUATIONS:
            costly.append(words)
            continue
        found = _of(estimator, bilevel, inner, batch())
        require(found.isfinite().all(), f"{words}: the hypergradient is not finite")
        tried += 1
    note = f"; too costly to try: {', '.join(costly)}" if costly else ""
    return f"{tried} tried{note}"


def _size(oracle: AutodiffOracle) -> ProblemSize:
    return ProblemSize(
        num_inner_steps=NUM_STEPS,
        meta_dim=oracle.meta_dim,
        mixed=oracle.phi_shapes_inner_loss,
    )
