"""Checks of a parameterisation: of what is meta-learned."""

from collections.abc import Mapping

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    FLOAT64,
    NUM_STEPS,
    NUM_TASKS,
    alone,
    batch,
    estimate,
    generator,
    normal,
    outer_loss,
    phi_of,
    problem,
    relative_error,
    require_close,
    require_global_generator_untouched,
    slope_error,
    unequal_batch,
)
from metalab.analysis.checks.verdict import Check, SkipError, require
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.base import MetaParameterisation
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import TaskBatch

_INNER = GradientDescent(num_inner_steps=NUM_STEPS, inner_lr=0.05)


def checks_of_meta(kind: type[MetaParameterisation]) -> Mapping[str, Check]:
    """Return the checks of a class of meta-parameterisations, by what they try."""
    return {
        "sizes": lambda: _sizes(kind()),
        "determinism": lambda: _determinism(kind()),
        "pullback of the start": lambda: _start(kind()),
        "hypergradient against finite differences": lambda: _hypergradient(kind()),
        "tasks of unequal sizes": lambda: _unequal(kind()),
    }


def _problem(meta: MetaParameterisation) -> BilevelProblem:
    bilevel = problem(meta=meta)
    if not isinstance(bilevel.model, meta.needs_model):
        raise SkipError(f"it needs a network with {meta.needs_model.capability}")
    return bilevel


def _sizes(meta: MetaParameterisation) -> str:
    bilevel = _problem(meta)
    model, dim = bilevel.model, bilevel.meta_dim
    phi = meta.initial(model, generator=generator(), dtype=FLOAT64)
    require(phi.shape == (dim,), f"initial is {list(phi.shape)}; allowed: [{dim}]")
    end = 0
    for block in bilevel.adapted:
        require(block.start == end, f"block {block.name!r} starts at {block.start}")
        end += block.size
    theta = meta.start(model, phi.expand(NUM_TASKS, -1))
    require(
        theta.shape == (NUM_TASKS, end),
        f"start is {list(theta.shape)}; allowed: {[NUM_TASKS, end]}",
    )
    tasks = batch()
    penalty = meta.regulariser(
        model, theta, phi.expand(NUM_TASKS, -1), num_shots=tasks.support.num_shots
    )
    require(
        penalty is None or penalty.shape == (NUM_TASKS,),
        "regulariser is not one number a task",
    )
    return f"{dim:,} meta-parameters, {end:,} adapted"


def _determinism(meta: MetaParameterisation) -> None:
    model = _problem(meta).model

    def drawn() -> Tensor:
        return meta.initial(model, generator=generator(), dtype=FLOAT64)

    require_global_generator_untouched(drawn)
    require(torch.equal(drawn(), drawn()), "one seed draws different numbers")


def _start(meta: MetaParameterisation) -> str:
    """<v, start(u) - start(0)> = <pullback(v), u>: the start is affine in phi."""
    bilevel = _problem(meta)
    u = normal(NUM_TASKS, bilevel.meta_dim, seed=1)
    v = normal(NUM_TASKS, bilevel.inner_dim, seed=2)
    model = bilevel.model
    moved = meta.start(model, u) - meta.start(model, torch.zeros_like(u))
    left = (v * moved).sum(dim=1)
    right = (meta.start_pullback(model, v) * u).sum(dim=1)
    size = float(v.norm() * u.norm())
    error = float((left - right).abs().max()) / size
    return require_close(error, 1e-12, "pullback and start")


def _per_task(bilevel: BilevelProblem, tasks: TaskBatch) -> Tensor:
    oracle = AutodiffOracle(bilevel, phi_of(bilevel, _INNER), tasks)
    return estimate(Unrolled(), oracle, _INNER).per_task


def _hypergradient(meta: MetaParameterisation) -> str:
    bilevel = _problem(meta)
    found = _per_task(bilevel, batch()).mean(dim=0)
    function = outer_loss(bilevel, _INNER, batch())
    error = slope_error(function, phi_of(bilevel, _INNER), found)
    return require_close(error, 1e-6, "the exact hypergradient and finite differences")


def _unequal(meta: MetaParameterisation) -> str:
    bilevel, whole = _problem(meta), unequal_batch()
    apart = [_per_task(bilevel, alone(whole, task)) for task in range(NUM_TASKS)]
    error = relative_error(_per_task(bilevel, whole), torch.cat(apart))
    return require_close(error, 1e-10, "tasks together and alone")
