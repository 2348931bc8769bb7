"""Problems whose answers are known without metalab's own mathematics."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metalab.core.autodiff import AutodiffOracle
from metalab.core.hypergradient.base import (
    EstimateContext,
    Hypergradient,
    HypergradientEstimator,
)
from metalab.core.inner.base import InnerLoop, InnerRequirement
from metalab.core.meta.base import MetaParameterisation, PhiRole
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.base import Model, ParameterBlock
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch

FLOAT64 = torch.float64
FINAL_LOSS = EstimateContext(weights=None, streams=RandomStreams(0), step=0)
"""The outer loss after the last inner step."""


def generator(seed: int = 0) -> torch.Generator:
    """Return a seeded generator."""
    return torch.Generator().manual_seed(seed)


def relative_error(value: Tensor, reference: Tensor) -> float:
    """Return the norm of the difference, relative to the norm of the reference."""
    return float((value - reference).norm() / reference.norm())


def central_differences(
    function: Callable[[Tensor], Tensor], point: Tensor, *, step: float = 1e-5
) -> Tensor:
    """Return the gradient of a scalar function at a flat float64 point.

    The error is O(step^2) from truncation and O(1e-16 / step) from rounding.
    """
    assert point.dtype is FLOAT64
    slopes = []
    for i in range(point.numel()):
        shift = torch.zeros_like(point)
        shift[i] = step
        slopes.append((function(point + shift) - function(point - shift)) / (2 * step))
    return torch.stack(slopes)


def smooth_batch(
    *,
    num_tasks: int = 3,
    num_shots: int = 5,
    num_queries: int = 4,
    input_dim: int = 1,
    output_dim: int = 1,
    seed: int = 0,
    dtype: torch.dtype = FLOAT64,
) -> TaskBatch:
    """Return a batch of unrelated random points: no structure to hide a mistake in."""
    source = generator(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source, dtype=dtype)

    return TaskBatch(
        parameters=torch.zeros(num_tasks, 1, dtype=dtype),
        support=Samples(
            x=draw(num_tasks, num_shots, input_dim),
            y=draw(num_tasks, num_shots, output_dim),
        ),
        query=Samples(
            x=draw(num_tasks, num_queries, input_dim),
            y=draw(num_tasks, num_queries, output_dim),
        ),
    )


def initial_phi(problem: BilevelProblem, inner: InnerLoop, seed: int = 0) -> Tensor:
    """Draw [problem part | rates of the inner loop], float64."""
    source = generator(seed)
    shaping = problem.meta.initial(problem.model, generator=source, dtype=FLOAT64)
    rates = inner.initial_meta(problem.adapted, generator=source, dtype=FLOAT64)
    return torch.cat([shaping, rates])


def goes_with(inner: InnerLoop | type[InnerLoop], meta: MetaParameterisation) -> bool:
    """Return whether an inner loop has what it needs of the inner problem."""
    return {
        InnerRequirement.NOTHING: True,
        InnerRequirement.STATIONARY_POINT: meta.regularised,
        InnerRequirement.CLOSED_FORM: meta.closed_form,
        InnerRequirement.ANCHOR: meta.isotropic
        and any(PhiRole.START in ways for ways in meta.ways),
    }[inner.needs]


def estimated(
    estimator: HypergradientEstimator,
    oracle: AutodiffOracle,
    inner: InnerLoop,
    *,
    request: EstimateContext = FINAL_LOSS,
) -> Hypergradient:
    """Return an estimate for the K inner steps that the loop has in training."""
    path = inner.run(oracle, num_steps=inner.num_inner_steps, keep=estimator.keep)
    return estimator.estimate(oracle, inner, path, request)


def outer_objective(
    problem: BilevelProblem, inner: InnerLoop, batch: TaskBatch, num_steps: int
) -> Callable[[Tensor], Tensor]:
    """Return phi -> the K-step outer loss: what an exact hypergradient is the slope of.

    Forward evaluations alone; no derivative in phi is taken.
    """

    def objective(phi: Tensor) -> Tensor:
        oracle = AutodiffOracle(problem, phi, batch)
        return oracle.outer_loss(inner.run(oracle, num_steps=num_steps).end).mean()

    return objective


@dataclass(frozen=True, kw_only=True)
class LeastSquares:
    """Linear regression on both levels: everything has a closed form.

    With features X~ = [X 1], the losses of a task are |X~ theta - y|^2 / n, so K inner
    steps are an affine map, diagonal in the eigenvectors of the support Hessian H:

        theta_K = M^K phi + H^+ (I - M^K) b,    M = I - inner_lr H,  b = 2 X~^T y / n

    and the hypergradient is M^K (H_q theta_K - b_q).

    Attributes:
        batch: float64 tasks with one output.
    """

    batch: TaskBatch

    @property
    def problem(self) -> BilevelProblem:
        """The same problem, for metalab: a network without hidden layers."""
        input_dim = self.batch.support.x.shape[2]
        model = MLP(input_dim=input_dim, output_dim=1, hidden_sizes=())
        return BilevelProblem(model=model, meta=Initialisation())

    def adapted(self, phi: Tensor, *, inner_lr: float, num_steps: int) -> Tensor:
        """Return theta_K, [task, dim]."""
        return self._each(phi, inner_lr, num_steps)[0]

    def hypergradient(self, phi: Tensor, *, inner_lr: float, num_steps: int) -> Tensor:
        """Return the gradient of the K-step outer loss of each task, [task, dim]."""
        return self._each(phi, inner_lr, num_steps)[1]

    def proximal(self, phi: Tensor, *, strength: float) -> tuple[Tensor, Tensor]:
        """Solve min |X~ theta - y|^2 / n + strength/2 |theta - phi|^2 for each task.

        theta* = A^-1 (b + strength phi) with A = H + strength I, so that the query loss
        there has the gradient strength A^-1 g in phi, and strength (phi - theta*)^T A^-1 g
        in the logarithm of the strength, with g = H_q theta* - b_q.

        Returns:
            theta*, [task, dim]; the gradient in [phi, log strength], [task, dim + 1].
        """
        solutions, gradients = [], []
        pairs = zip(self._quadratics("support"), self._quadratics("query"), strict=True)
        for (hessian, b), (query_hessian, query_b) in pairs:
            pulled = hessian + strength * np.eye(len(b))
            theta = np.linalg.solve(pulled, b + strength * phi.numpy())
            q = np.linalg.solve(pulled, query_hessian @ theta - query_b)
            of_strength = strength * np.dot(phi.numpy() - theta, q)
            solutions.append(theta)
            gradients.append(np.append(strength * q, of_strength))
        return torch.tensor(np.stack(solutions)), torch.tensor(np.stack(gradients))

    def largest_curvature(self) -> float:
        """Return the largest eigenvalue of any task's support Hessian."""
        return max(np.linalg.eigvalsh(h).max() for h, _ in self._quadratics("support"))

    def _quadratics(self, part: str) -> list[tuple[np.ndarray, np.ndarray]]:
        samples: Samples = getattr(self.batch, part)
        found = []
        for x, y in zip(samples.x.numpy(), samples.y.numpy(), strict=True):
            design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
            scale = 2 / len(x)
            found.append((scale * design.T @ design, scale * design.T @ y[:, 0]))
        return found

    def _each(
        self, phi: Tensor, inner_lr: float, num_steps: int
    ) -> tuple[Tensor, Tensor]:
        adapted, gradients = [], []
        pairs = zip(self._quadratics("support"), self._quadratics("query"), strict=True)
        for (hessian, b), (query_hessian, query_b) in pairs:
            values, vectors = np.linalg.eigh(hessian)
            shrink = (1 - inner_lr * values) ** num_steps
            # (1 - (1 - a l)^K) / l, continued by its limit a K at l = 0.
            flat = np.abs(values) < 1e-12
            reach = np.where(
                flat, inner_lr * num_steps, (1 - shrink) / np.where(flat, 1, values)
            )
            power = vectors @ np.diag(shrink) @ vectors.T
            theta = power @ phi.numpy() + vectors @ np.diag(reach) @ vectors.T @ b
            adapted.append(theta)
            gradients.append(power @ (query_hessian @ theta - query_b))
        return torch.tensor(np.stack(adapted)), torch.tensor(np.stack(gradients))


def least_squares(
    *, num_tasks: int = 8, num_shots: int = 40, input_dim: int = 3, seed: int = 0
) -> LeastSquares:
    """Return tasks with true weights around a common centre, and no noise.

    Enough shots for every Hessian to be well conditioned: what holds for the sign of a
    biased estimate on a typical task holds here.
    """
    source = generator(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source, dtype=FLOAT64)

    weights = 1 + 0.3 * draw(num_tasks, input_dim, 1)

    def samples() -> Samples:
        x = draw(num_tasks, num_shots, input_dim)
        return Samples(x=x, y=x @ weights)

    return LeastSquares(
        batch=TaskBatch(parameters=weights[..., 0], support=samples(), query=samples())
    )


@dataclass(frozen=True, kw_only=True)
class InputShift(MetaParameterisation):
    """phi is the whole network; a task adapts a shift of its inputs, from 0.

    The start does not depend on phi at all, so the hypergradient is made of the direct
    and the mixed terms alone, and those run through the network's second derivatives.
    """

    name = "test-input-shift"
    title = "Input shift"
    shapes_inner_loss = True
    regularised = False
    extra_inputs = 0
    ways = (frozenset({PhiRole.PREDICTION, PhiRole.INNER_LOSS}),)

    input_dim: int = 1

    def adapted_blocks(self, model: Model) -> tuple[ParameterBlock, ...]:
        return (
            ParameterBlock(name="shift", layer=0, shape=(self.input_dim,), start=0),
        )

    def meta_dim(self, model: Model) -> int:
        return model.dim

    def initial(self, model, *, generator, dtype):
        return model.initial_parameters(generator=generator, dtype=dtype)

    def start(self, model, phi):
        return phi.new_zeros(phi.shape[0], self.input_dim)

    def start_pullback(self, model, v):
        return v.new_zeros(v.shape[0], model.dim)

    def predict(self, model, theta, phi, x, support):
        return model.apply(phi, x + theta[:, None, :])
