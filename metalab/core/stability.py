"""Test whether the steps of an inner loop are short enough for the curvature they meet.

A gradient step maps a small error e of theta_k to (I - diag(rate) H) e, where weight decay
counts as part of H. Where an eigenvalue
of diag(rate) H exceeds 2, the step overshoots so far that the error grows: with one rate for
all parameters that is rate * L > 2, L the largest eigenvalue of the inner loss's Hessian H.
A direction of negative curvature grows too, but by descending: it does not count.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.descent import Descent, Rule, minibatch
from metalab.core.learner import MetaLearner
from metalab.core.linear_solve import MatVec
from metalab.core.oracle import InnerOracle, LossTerms
from metalab.core.tasks import TaskBatch

LIMIT = 2.0
"""Largest stable eigenvalue of diag(rate) H / (1 + momentum)."""

NUM_PRODUCTS = 5
"""Hessian-vector products of each measurement. The few large eigenvalues of an inner loss
stand far apart: five give the largest to three digits on the presets with one rate."""

_ROUNDING = {torch.float32: 1e-5, torch.float64: 1e-12}
"""Length, relative to a product's, below which what is left of it is rounding."""

_CLEARLY = 1.05
"""Spectral radius beyond which a step with complex eigenvalues counts as unstable: rates of
both signs leave many pairs close to the unit circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCurvature:
    """The step lengths of an inner loop in units of what the curvature allows.

    Attributes:
        largest: Of each task, the largest eigenvalue of diag(rate) H / (1 + momentum) over
            the first and the last inner step, [task]; beyond `LIMIT` the step is
            unstable.
    """

    largest: Float[Tensor, " task"]

    @property
    def unstable_share(self) -> Float[Tensor, ""]:
        """Share of tasks with an unstable step; one that is not finite counts."""
        return (~(self.largest <= LIMIT)).to(self.largest.dtype).mean()


def step_curvature(
    learner: MetaLearner, phi: Float[Tensor, " meta"], batch: TaskBatch
) -> StepCurvature | None:
    """Measure the set inner loop of a run on some tasks; nothing is drawn or changed.

    Args:
        learner: The run's meta-learner.
        phi: Where training stands.
        batch: The tasks, on phi's device.

    Returns:
        None where tasks adapt by no gradient steps.
    """
    inner = learner.inner
    if not isinstance(inner, Descent):
        return None
    oracle = learner.oracle(phi, batch)
    rule = inner.rule(oracle)
    # With the regulariser alone a step meets no curvature of the network.
    last = max(
        (
            k
            for k in range(inner.num_inner_steps)
            if rule.terms(k) is not LossTerms.REGULARISER
        ),
        default=0,
    )
    largest = _largest(oracle, rule, 0, oracle.start())
    if last > 0:
        end = inner.run(oracle, num_steps=last).end
        largest = torch.maximum(largest, _largest(oracle, rule, last, end))
    return StepCurvature(largest=largest)


def _largest(
    oracle: InnerOracle, rule: Rule, step: int, theta: Float[Tensor, "task inner"]
) -> Float[Tensor, " task"]:
    """Return the largest eigenvalue that one inner step from theta meets, [task]."""
    linearisation = oracle.linearise(
        theta,
        minibatch=minibatch(step, rule.batch_size, oracle.num_shots),
        terms=rule.terms(step),
        curvature=True,
    )
    rate = rule.rate(step, linearisation.grad)
    begin = _beginning(linearisation.grad)
    count = min(NUM_PRODUCTS, theta.shape[1])
    if not isinstance(rate, Tensor) or rate.shape[1] == 1:
        # One rate for all parameters of a task: it scales the Hessian's eigenvalues.
        projected = krylov_projection(
            linearisation.hvp, begin, num_products=count, symmetric=True
        )
        largest = largest_eigenvalue(projected).to(theta) + rule.decay
        largest = largest * (rate[:, 0] if isinstance(rate, Tensor) else rate)
        return largest / (1.0 + rule.momentum)
    # diag(rate) H is similar to sign * root H root, which is symmetric for positive rates.
    root, sign = rate.abs().sqrt(), rate.sign()
    symmetric = bool((sign >= 0).all())
    projected = krylov_projection(
        lambda v: sign * root * linearisation.hvp(root * v),
        begin,
        num_products=count,
        symmetric=symmetric,
    )
    find = largest_eigenvalue if symmetric else largest_reach
    return find(projected).to(theta) / (1.0 + rule.momentum)


def _beginning(grad: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
    """Return where the iterations begin: along the gradient, and a little of everything.

    The gradient lies mostly in the steepest directions; the rest is there for a task whose
    gradient is zero. It is the same at each measurement, and drawn from nobody's stream.
    """
    count = grad.shape[1]
    generator = torch.Generator().manual_seed(count)
    rest = torch.randn(count, generator=generator, dtype=grad.dtype).to(grad.device)
    rest = rest / torch.linalg.vector_norm(rest)
    return torch.nn.functional.normalize(grad, dim=1) + 0.5 * rest


def krylov_projection(
    matvec: MatVec,
    v: Float[Tensor, "task inner"],
    *,
    num_products: int,
    symmetric: bool,
) -> Float[Tensor, "task product product"]:
    """Return the matrix of each task projected on its Krylov space.

    By Arnoldi's iteration, which for a symmetric matrix is Lanczos's. The eigenvalues of
    the result tend to the extreme ones of the matrix first. A space that is exhausted
    sooner leaves zeros.

    Args:
        matvec: q -> M q, each [task, inner].
        v: Where the iteration begins; not zero.
        num_products: Products to ask for, at least 1.
        symmetric: Whether M is; the upper half of the result is then to be read.

    Source: Saad 2011 (Numerical Methods for Large Eigenvalue Problems), sections 6.2, 6.3.
    """
    projected = v.new_zeros(len(v), num_products, num_products)
    basis = [_unit(v, torch.linalg.vector_norm(v, dim=1, keepdim=True))]
    rounding = _ROUNDING[v.dtype]
    for j in range(num_products):
        product = matvec(basis[j])
        scale = torch.linalg.vector_norm(product, dim=1, keepdim=True)
        for i in range(max(0, j - 1) if symmetric else 0, j + 1):
            share = (basis[i] * product).sum(dim=1, keepdim=True)
            product = torch.addcmul(product, share, basis[i], value=-1.0)
            projected[:, i, j] = share[:, 0]
        if j + 1 < num_products:
            length = torch.linalg.vector_norm(product, dim=1, keepdim=True)
            # What rounding leaves of a product that lies in the space is no direction.
            length = torch.where(length > rounding * scale, length, 0.0)
            projected[:, j + 1, j] = length[:, 0]
            basis.append(_unit(product, length))
    return projected


def _unit(v: Tensor, length: Tensor) -> Tensor:
    """Return v / length, and zero where the length is zero."""
    return v / torch.where(length > 0, length, torch.inf)


def largest_eigenvalue(
    projected: Float[Tensor, "task product product"],
) -> Float[Tensor, " task"]:
    """Return the largest eigenvalue of symmetric matrices, from their upper halves.

    A matrix with a number that is not finite has an infinite one. On the CPU, in double
    precision: the matrices are tiny.
    """
    matrices, finite = _on_cpu(projected)
    largest = torch.linalg.eigvalsh(matrices, UPLO="U")[:, -1]
    return torch.where(finite, largest, torch.inf)


def largest_reach(
    projected: Float[Tensor, "task product product"],
) -> Float[Tensor, " task"]:
    """Return the eigenvalue z, of positive real part, that 1 - z is largest for.

    The matrix I - M has spectral radius |1 - z|. Of a real z beyond 1 that is z - 1, and z
    is returned; of one for which the radius is clearly beyond 1, 1 + |1 - z|, so that 2 is
    the limit for both.
    """
    matrices, finite = _on_cpu(projected)
    values = torch.linalg.eigvals(matrices)
    radius = (1.0 - values).abs()
    reach = torch.where(radius > _CLEARLY, 1.0 + radius, values.real)
    largest = torch.where(values.real > 0, reach, 0.0).amax(dim=1)
    return torch.where(finite, largest, torch.inf)


def _on_cpu(projected: Tensor) -> tuple[Tensor, Tensor]:
    """Return matrices in double precision, and which are finite; the others are zero."""
    matrices = projected.detach().cpu().double()
    finite = torch.isfinite(matrices).flatten(1).all(dim=1)
    return torch.where(finite[:, None, None], matrices, 0.0), finite
