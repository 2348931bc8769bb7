"""Outer steps compiled by torch, inner loop and derivatives in one graph.

A step of a small network is hundreds of tiny operations, and most of its time is spent
between them. As one graph, a step takes between a quarter and a half of the time; making
the graph takes ten to thirty seconds, once for each combination of parts and sizes.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

import torch
from torch import Tensor

from metalab.core.analytic import AnalyticOracle
from metalab.core.autodiff import AutodiffOracle
from metalab.core.oracle import BilevelProblem, Evaluations
from metalab.core.outer_gradient import OuterGradient, OuterGradientResult
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch

KEPT = 32
"""Outer gradients whose graphs are kept."""

TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-8}
"""Largest relative difference of a compiled hypergradient that is let pass: estimators
that iterate until a residual is small stop a little earlier or later."""

NO_STEP = -1
"""The outer step that a graph is made for, since it serves all of them: an estimate that
depends on the step differs there from what is known to be right, and is not compiled."""

_Tensors = tuple[Tensor, ...]


class WatchedStreams(RandomStreams):
    """The streams of a run, and whether anybody has drawn from them."""

    __slots__ = ("drawn",)

    def __init__(self, streams: RandomStreams) -> None:
        super().__init__(streams.seed)
        object.__setattr__(self, "drawn", False)  # frozen, as what it stands for is

    def generator(self, purpose: str, block: int = 0) -> torch.Generator:
        """Return what the streams return."""
        object.__setattr__(self, "drawn", True)
        return super().generator(purpose, block)


def torch_oracle(
    problem: BilevelProblem, phi: Tensor, batch: TaskBatch
) -> AutodiffOracle:
    """Return torch's answers about a meta-batch: by formula where there is one."""
    if AnalyticOracle.suits(problem):
        return AnalyticOracle(problem, phi, batch)
    return AutodiffOracle(problem, phi, batch)


class CompiledOuterGradient:
    """An outer gradient with its graph, compiled at the first call.

    Where torch cannot compile it, or the graph is found to compute something else, it
    is computed as it would be otherwise.

    Thread: any; two that meet at the first call compile twice, to the same end.

    Attributes:
        obstacle: Why it is not compiled; None if it is, or has not been tried yet.
    """

    def __init__(self, outer_gradient: OuterGradient) -> None:
        self.obstacle: str | None = None
        self._outer_gradient = outer_gradient
        self._graph: Callable[..., tuple[_Tensors, int, int]] | None = None

    def __call__(
        self, phi: Tensor, batch: TaskBatch, streams: RandomStreams, step: int
    ) -> OuterGradientResult:
        """Return what `OuterGradient` returns, up to rounding."""
        if self._graph is None and self.obstacle is None:
            self._prepare(phi, batch, streams, step)
        if self._graph is None:
            return self._plain(phi, batch, streams, step)
        return _unpacked(self._graph(*_packed(phi, batch)), self._outer_gradient)

    def _plain(
        self, phi: Tensor, batch: TaskBatch, streams: RandomStreams, step: int
    ) -> OuterGradientResult:
        oracle = torch_oracle(self._outer_gradient.problem, phi, batch)
        return self._outer_gradient(oracle, streams, step)

    def _prepare(
        self, phi: Tensor, batch: TaskBatch, streams: RandomStreams, step: int
    ) -> None:
        """Compile, and compare with what is known to be right."""
        watched = WatchedStreams(streams)
        expected = self._plain(phi, batch, watched, step)
        if self._outer_gradient.estimator.draws or watched.drawn:
            self.obstacle = "the estimator draws at random"
            return
        try:
            graph = _compiled(self._outer_gradient)
            found = _unpacked(graph(*_packed(phi, batch)), self._outer_gradient)
        except Exception as error:  # noqa: BLE001 - whatever a compiler may say; it is told
            self.obstacle = _first_line(error)
            return
        difference = _difference(found.hypergradient, expected.hypergradient)
        if not difference <= TOLERANCE[phi.dtype]:
            self.obstacle = f"the graph differs by {difference:.1e}"
        else:
            self._graph = graph


@lru_cache(maxsize=KEPT)
def compiled(outer_gradient: OuterGradient) -> CompiledOuterGradient:
    """Return an outer gradient that compiles itself; the same for equal ones."""
    return CompiledOuterGradient(outer_gradient)


def _compiled(
    outer_gradient: OuterGradient,
) -> Callable[..., tuple[_Tensors, int, int]]:
    # Here: most runs need no compiler, and importing it takes a second.
    dynamo = import_module("torch._dynamo").config
    inductor = import_module("torch._inductor.config")
    if not hasattr(dynamo, "trace_autograd_ops"):
        raise RuntimeError(f"torch {torch.__version__} cannot compile derivatives")
    dynamo.trace_autograd_ops = True
    # To torch every outer gradient is another version of the same code.
    dynamo.recompile_limit = max(dynamo.recompile_limit, 2 * KEPT)
    # No pool of processes for the one graph of a run.
    setattr(inductor, "compile_threads", 1)  # noqa: B010 - no attribute to a type checker
    warnings.filterwarnings("ignore", message="Dynamo detected a call to a `functools")

    def graph(
        phi: Tensor, parameters: Tensor, *points: Tensor | None
    ) -> tuple[_Tensors, int, int]:
        support, query = _samples(*points[:3]), _samples(*points[3:])
        batch = TaskBatch(parameters=parameters, support=support, query=query)
        oracle = torch_oracle(outer_gradient.problem, phi, batch)
        answer = outer_gradient(oracle, RandomStreams(0), NO_STEP)
        spared = (answer.outer_loss_before, answer.support_loss_after)
        tensors = (
            *(answer.hypergradient, answer.outer_loss, answer.support_loss_before),
            *(answer.distance, *(loss for loss in spared if loss is not None)),
            *(() if answer.solves is None else (answer.solves,)),
        )
        asked = answer.evaluations
        return tensors, asked.gradients, asked.products

    return torch.compile(graph, fullgraph=True, dynamic=False)


def _packed(phi: Tensor, batch: TaskBatch) -> tuple[Tensor | None, ...]:
    points = (
        part
        for samples in (batch.support, batch.query)
        for part in (samples.x, samples.y, samples.mask)
    )
    return phi, batch.parameters, *points


def _samples(x: Tensor | None, y: Tensor | None, mask: Tensor | None) -> Samples:
    assert x is not None, "points have inputs"
    assert y is not None, "points have targets"
    return Samples(x=x, y=y, mask=mask)


def _unpacked(
    returned: tuple[_Tensors, int, int], outer_gradient: OuterGradient
) -> OuterGradientResult:
    tensors, gradients, products = returned
    hypergradient, outer_loss, support_loss, distance, *more = tensors
    before, after = more[:2] if outer_gradient.measures_all else (None, None)
    solves = more[2:] if outer_gradient.measures_all else more
    return OuterGradientResult(
        hypergradient=hypergradient,
        outer_loss=outer_loss,
        outer_loss_before=before,
        support_loss_before=support_loss,
        support_loss_after=after,
        distance=distance,
        evaluations=Evaluations(gradients=gradients, products=products),
        solves=solves[0] if solves else None,
    )


def _difference(found: Tensor, expected: Tensor) -> float:
    size = torch.linalg.vector_norm(expected).clamp(min=1e-12)
    return float(torch.linalg.vector_norm(found - expected) / size)


def _first_line(error: Exception) -> str:
    """Return what went wrong, without the layers around it."""
    inner = getattr(error, "inner_exception", None) or error
    lines = str(inner).strip().splitlines()
    return f"{type(inner).__name__}: {lines[0]}" if lines else type(inner).__name__
