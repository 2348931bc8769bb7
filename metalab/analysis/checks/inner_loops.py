"""Checks of an inner loop."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    NUM_STEPS,
    NUM_TASKS,
    alone,
    at_bounds,
    batch,
    estimate,
    metas_for,
    outer_loss,
    phi_of,
    problem,
    relative_error,
    require_close,
    slope_error,
    unequal_batch,
)
from metalab.analysis.checks.verdict import Check, SkipError, require
from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import HypergradientEstimator
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.forward_mode import ForwardMode
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.base import InnerLoop, PathStorage
from metalab.core.meta.base import MetaParameterisation
from metalab.core.tasks import TaskBatch


def checks_of_inner_loop(kind: type[InnerLoop]) -> Mapping[str, Check]:
    """Return the checks of a class of inner loops, by what they try."""
    return {
        "path": _on(kind, _path),
        "going on from a state": _on(kind, _goes_on),
        "pullback against finite differences": _on(kind, _pullback),
        "pushforward against pullback": _on(kind, _pushforward),
        "first-order pullback": _on(kind, _first_order),
        "tasks of unequal sizes": _on(kind, _unequal),
        "options at their bounds": lambda: _bounds(kind),
    }


_OnMeta = Callable[[InnerLoop, MetaParameterisation], str | None]


def _on(kind: type[InnerLoop], check: _OnMeta) -> Check:
    """Return a check with the loop on each kind of problem that it takes."""

    def each() -> str:
        metas = metas_for(kind)
        if not metas:
            raise SkipError(f"it needs {kind.needs.value}; nothing has that")
        told = [(meta.name, check(_loop(kind), meta)) for meta in metas]
        return ", ".join(f"{name}: {words}" if words else name for name, words in told)

    return each


def _loop(kind: type[InnerLoop], **options: Any) -> InnerLoop:
    return kind(**{"num_inner_steps": NUM_STEPS, **options})


def _oracle(
    inner: InnerLoop, meta: MetaParameterisation, tasks: TaskBatch
) -> AutodiffOracle:
    bilevel = problem(meta=meta)
    return AutodiffOracle(bilevel, phi_of(bilevel, inner), tasks)


def _path(inner: InnerLoop, meta: MetaParameterisation) -> None:
    oracle = _oracle(inner, meta, batch())
    path = inner.run(
        oracle, num_steps=NUM_STEPS, keep=PathStorage.GRAPH, keep_points=True
    )
    shape = oracle.start().shape
    require(
        len(path.points) == NUM_STEPS + 1,
        f"points are {len(path.points)}; allowed: {NUM_STEPS + 1}",
    )
    require(
        [step.index for step in path.steps] == list(range(NUM_STEPS)),
        f"steps are numbered {[step.index for step in path.steps]}",
    )
    require(path.end.shape == shape, f"the end is {list(path.end.shape)}")
    require(path.state.index == NUM_STEPS, f"the state's index is {path.state.index}")
    require(torch.equal(path.points[0], oracle.start()), "it does not begin at theta_0")
    require(torch.equal(path.points[-1], path.end), "the last point is not the end")
    again = inner.run(oracle, num_steps=NUM_STEPS)
    require(torch.equal(again.end, path.end), "two paths from one start differ")
    require(not again.steps, "steps are kept unasked")


def _goes_on(inner: InnerLoop, meta: MetaParameterisation) -> str:
    oracle = _oracle(inner, meta, batch())
    whole = inner.run(oracle, num_steps=NUM_STEPS).end
    begun = inner.run(oracle, num_steps=1).state
    rest = inner.run(oracle, num_steps=NUM_STEPS - 1, begin=begun).end
    return require_close(relative_error(rest, whole), 1e-12, "a path and its two parts")


def _hypergradient(
    estimator: HypergradientEstimator, inner: InnerLoop, meta: MetaParameterisation
) -> Tensor:
    oracle = _oracle(inner, meta, batch())
    return estimate(estimator, oracle, inner).per_task


def _pullback(inner: InnerLoop, meta: MetaParameterisation) -> str:
    bilevel = problem(meta=meta)
    found = _hypergradient(Unrolled(), inner, meta).mean(dim=0)
    function = outer_loss(bilevel, inner, batch())
    error = slope_error(function, phi_of(bilevel, inner), found)
    return require_close(error, 1e-6, "the sweep back and finite differences")


def _pushforward(inner: InnerLoop, meta: MetaParameterisation) -> str:
    forwards = _hypergradient(ForwardMode(), inner, meta)
    error = relative_error(forwards, _hypergradient(Unrolled(), inner, meta))
    return require_close(error, 1e-8, "the sweeps forwards and back")


def _first_order(inner: InnerLoop, meta: MetaParameterisation) -> None:
    found = _hypergradient(FirstOrder(), inner, meta)
    require(found.isfinite().all(), "the first-order hypergradient is not finite")


def _unequal(inner: InnerLoop, meta: MetaParameterisation) -> str:
    whole = unequal_batch()

    def end(tasks: TaskBatch) -> Tensor:
        return inner.run(_oracle(inner, meta, tasks), num_steps=NUM_STEPS).end

    apart = torch.cat([end(alone(whole, task)) for task in range(NUM_TASKS)])
    return require_close(
        relative_error(end(whole), apart), 1e-10, "tasks together, alone"
    )


def _bounds(kind: type[InnerLoop]) -> str:
    metas, tried = metas_for(kind), 0
    if not metas:
        raise SkipError(f"it needs {kind.needs.value}; nothing has that")
    for words, options in at_bounds(kind):
        inner = kind(**options)
        oracle = _oracle(inner, metas[0], batch())
        steps = 1 if "num_inner_steps" in options else NUM_STEPS
        found = inner.run(oracle, num_steps=steps).end
        # A rate at its upper bound may well lead to infinity.
        require(found.shape == oracle.start().shape, f"{words}: {list(found.shape)}")
        tried += 1
    return f"{tried} tried"
