"""Diagnostics of one outer step, beside its metrics.

Every function returns a tensor on the device, and nothing here synchronises with the host
or changes anything: what is measured depends on the state and the meta-batch alone.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.hypergradient.base import EstimateContext, Hypergradient
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.inner.base import InnerPath, PathStorage
from metalab.core.learner import MetaLearner, MetaState
from metalab.core.linear_solve import QUALITY_NAMES
from metalab.core.meta.base import PhiRole
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle, Linearisation
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch


def diagnose(
    learner: MetaLearner,
    state: MetaState,
    batch: TaskBatch,
    streams: RandomStreams,
    *,
    num_power_iterations: int,
) -> dict[str, Float[Tensor, ""]]:
    """Measure the outer step that leads on from `state`, without making it.

    Args:
        learner: The run's meta-learner.
        state: Where training stands.
        batch: The meta-batch of this step, on the state's device.
        streams: Randomness of the run; what is drawn depends on the step alone.
        num_power_iterations: Hessian-vector products of each eigenvalue, at least 1.

    Returns:
        Values by name, as `engine.diagnostics` describes them.
    """
    oracle = learner.oracle(state.phi, batch)
    estimator = learner.estimator(state.step)
    inner, num_steps = learner.inner_at(state.step)
    keep = (
        PathStorage.GRAPH
        if estimator.keep is PathStorage.GRAPH
        else PathStorage.GRADIENTS
    )
    path = inner.run(oracle, num_steps=num_steps, keep=keep)
    request = EstimateContext(
        weights=learner.objective.weights(state.step, num_steps),
        streams=streams,
        step=state.step,
    )
    estimate = estimator.estimate(oracle, inner, path, request)
    mean = estimate.per_task.mean(dim=0)
    first_order = torch.full_like(mean, torch.nan)
    if first_order_learns(learner):
        straight = FirstOrder().estimate(oracle, inner, path, request)
        first_order = straight.per_task.mean(dim=0)
    begin = oracle.linearise(path.start, curvature=True)
    end = oracle.linearise(path.end, curvature=True)
    v = torch.randn(
        path.start.shape, generator=streams.generator("power iteration", state.step)
    )
    v = v.to(path.start)
    return {
        "hypergradient_norm": torch.linalg.vector_norm(mean),
        "gradient_cosine": mean_pairwise_cosine(estimate),
        "first_order_cosine": torch.cosine_similarity(mean, first_order, dim=0),
        "hessian_eigenvalue_start": largest_eigenvalue(
            begin, v, num_iterations=num_power_iterations
        ),
        "hessian_eigenvalue_end": largest_eigenvalue(
            end, v, num_iterations=num_power_iterations
        ),
        "inner_gradient_ratio": gradient_ratio(begin, end),
        **(solve_qualities(estimate) if learner.hypergradient.solves_systems else {}),
        **layer_distances(oracle, path),
    }


def first_order_learns(learner: MetaLearner) -> bool:
    """Return whether the first-order hypergradient reaches every part of phi."""
    parts = list(learner.problem.meta.ways)
    if learner.inner.learned:
        parts.append(frozenset({PhiRole.RATES}))
    return all(ways & FirstOrder.learns for ways in parts)


def mean_pairwise_cosine(estimate: Hypergradient) -> Float[Tensor, ""]:
    """Return the mean cosine between the hypergradients of two different tasks.

    With unit vectors u_i, the sum over pairs i != j of u_i . u_j is
    ||u_1 + ... + u_n||^2 - n, which needs no matrix of all pairs. A hypergradient of zero
    counts as orthogonal to the others; of a single task the result is NaN.
    """
    count = len(estimate.per_task)
    units = torch.nn.functional.normalize(estimate.per_task, dim=1, eps=_tiny(estimate))
    pairs = units.sum(dim=0).square().sum() - units.square().sum()
    return pairs / (count * (count - 1)) if count > 1 else pairs * torch.nan


def _tiny(estimate: Hypergradient) -> float:
    return torch.finfo(estimate.per_task.dtype).tiny


def largest_eigenvalue(
    linearisation: Linearisation, v: Float[Tensor, "task inner"], *, num_iterations: int
) -> Float[Tensor, ""]:
    """Return the inner Hessian's eigenvalue of largest magnitude, mean over tasks.

    By power iteration: the Rayleigh quotient of the last vector, so its sign is kept.

    Args:
        linearisation: The inner loss around a point, with curvature.
        v: Where the iteration begins for each task; not zero.
        num_iterations: Hessian-vector products, at least 1.
    """
    tiny = torch.finfo(v.dtype).tiny
    quotient = v.new_zeros(len(v))
    for _ in range(num_iterations):
        v = torch.nn.functional.normalize(v, dim=1, eps=tiny)
        product = linearisation.hvp(v)
        quotient = (v * product).sum(dim=1)
        v = product
    return quotient.mean()


def gradient_ratio(begin: Linearisation, end: Linearisation) -> Float[Tensor, ""]:
    """Return the norm of the inner gradient at `end` over that at `begin`, mean over tasks.

    0 at a stationary point; above 1 where the inner loop moves away from one.
    """
    norms = (torch.linalg.vector_norm(at.grad, dim=1) for at in (end, begin))
    last, first = norms
    return (last / first).mean()


def solve_qualities(estimate: Hypergradient) -> dict[str, Float[Tensor, ""]]:
    """Return how well the linear systems were solved; NaN at a step without.

    Beside what every step counts, the smallest Ritz value of all tasks: an upper bound of
    the smallest eigenvalue of the matrix that was to be inverted.
    """
    names = (*QUALITY_NAMES, "smallest_ritz_value")
    if estimate.solves is None:
        return dict.fromkeys(names, estimate.outer_loss.new_full((), torch.nan))
    ritz = estimate.solves.smallest_ritz_values().amin()
    return dict(zip(names, (*estimate.solves.summary(), ritz), strict=True))


def layer_distances(
    oracle: InnerOracle, path: InnerPath
) -> dict[str, Float[Tensor, ""]]:
    """Return how far each adapted layer moves, mean over tasks, as `distance_layer_1`.

    Layers are counted as those of the network, so a head alone may be layer 3.
    """
    moved = path.end - path.start
    layers: dict[int, list[ParameterBlock]] = {}
    for block in oracle.adapted:
        layers.setdefault(block.layer, []).append(block)
    distances: dict[str, Tensor] = {}
    for layer, blocks in sorted(layers.items()):
        parts = [block.of(moved) for block in blocks]
        norms = torch.linalg.vector_norm(torch.cat(parts, dim=1), dim=1)
        distances[f"distance_layer_{layer + 1}"] = norms.mean()
    return distances
