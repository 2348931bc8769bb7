"""The costly part of an outer step: adapt every task, and differentiate through it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, HypergradientEstimator
from metalab.core.inner.base import InnerLoop, InnerPath
from metalab.core.oracle import BilevelProblem, Evaluations, InnerOracle, LossTerms
from metalab.core.streams import RandomStreams


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterGradientResult:
    """What an outer step learns from its meta-batch.

    Attributes:
        hypergradient: Mean over the tasks, before clipping, [meta].
        outer_loss: Mean over the tasks, and so are the next four.
        outer_loss_before: Query loss at the start; None if it was not measured.
        support_loss_before: Support loss at the start.
        support_loss_after: Support loss at the end; None if it was not measured.
        distance: How far the tasks have moved.
        evaluations: What was asked of the oracle.
        solves: Numbers of `linear_solve.QUALITY_NAMES`, [quality]; None where no linear
            system was solved.
    """

    hypergradient: Float[Tensor, " meta"]
    outer_loss: Tensor
    outer_loss_before: Tensor | None
    support_loss_before: Tensor
    support_loss_after: Tensor | None
    distance: Tensor
    evaluations: Evaluations
    solves: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterGradient:
    """The inner loop and the estimator of one outer step.

    Two steps with equal outer gradients compute the same function of phi and meta-batch.

    Attributes:
        problem: The network and what is meta-learned.
        inner: How a task adapts, as training's schedule has it.
        num_steps: K, as training's schedule has it.
        estimator: What estimates the hypergradient.
        weights: See `EstimateContext.weights`.
        measures_all: Whether the metrics that no update needs are measured too.
    """

    problem: BilevelProblem
    inner: InnerLoop
    num_steps: int
    estimator: HypergradientEstimator
    weights: tuple[float, ...] | None
    measures_all: bool

    def __call__(
        self, oracle: InnerOracle, streams: RandomStreams, step: int
    ) -> OuterGradientResult:
        """Adapt and differentiate.

        Args:
            oracle: Answers about the meta-batch.
            streams: For estimators that draw.
            step: Outer steps made, for them.
        """
        inner, estimator = self.inner, self.estimator
        path = inner.run(oracle, num_steps=self.num_steps, keep=estimator.keep)
        request = EstimateContext(weights=self.weights, streams=streams, step=step)
        estimate = estimator.estimate(oracle, inner, path, request)
        before = after = None
        if self.measures_all:
            before = oracle.query_loss(path.start).mean()
            after = oracle.support_loss(path.end).mean()
        return OuterGradientResult(
            hypergradient=estimate.per_task.mean(dim=0),
            outer_loss=estimate.outer_loss.mean(),
            outer_loss_before=before,
            support_loss_before=self._support_loss_at_start(oracle, path).mean(),
            support_loss_after=after,
            distance=torch.linalg.vector_norm(path.end - path.start, dim=1).mean(),
            evaluations=oracle.evaluations,
            solves=None if estimate.solves is None else estimate.solves.summary(),
        )

    def _support_loss_at_start(self, oracle: InnerOracle, path: InnerPath) -> Tensor:
        """Return it from the first inner step, where that has measured just this.

        A regularised inner loss is another number, and a closed form (which is always
        regularised) looks at its end.
        """
        if path.steps and not self.problem.meta.adds_regulariser():
            first = path.steps[0].linearisation
            if first.minibatch == slice(None) and first.terms is LossTerms.ALL:
                return first.loss
        return oracle.support_loss(path.start)
