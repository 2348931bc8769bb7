"""Linear solvers H q = v for every task at once, from matrix-vector products alone.

H is symmetric, one matrix a task; vectors are rows of [task, dim]. No solver looks at a
value in between, so none waits for the device: a task that has converged is masked.
"""

from collections.abc import Callable

import torch
from torch import Tensor

MatVec = Callable[[Tensor], Tensor]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=1, keepdim=True)


def conjugate_gradient(
    matvec: MatVec, v: Tensor, *, num_iterations: int, tolerance: float
) -> Tensor:
    """Solve H q = v, H positive definite.

    Args:
        matvec: q -> H q, each [task, dim].
        v: Right-hand side, [task, dim].
        num_iterations: Most iterations; dim of them are exact but for rounding.
        tolerance: Residual norm, relative to ||v||, at which a task stops.

    Returns:
        q, [task, dim]. A task meeting a direction of no positive curvature keeps the
        iterate before it.

    Source: Hestenes & Stiefel 1952; its use in Rajeswaran et al. 2019, section 3.
    """
    q = torch.zeros_like(v)
    residual = direction = v
    rho = _dot(residual, residual)
    stop = rho * tolerance**2
    for _ in range(num_iterations):
        product = matvec(direction)
        curvature = _dot(direction, product)
        active = (rho > stop) & (curvature > 0)
        # The other branch of `where` must not divide by zero either.
        alpha = torch.where(active, rho / torch.where(active, curvature, 1.0), 0.0)
        q = q + alpha * direction
        residual = residual - alpha * product
        following = torch.where(active, _dot(residual, residual), rho)
        beta = torch.where(active, following / torch.where(active, rho, 1.0), 0.0)
        direction = torch.where(active, residual + beta * direction, direction)
        rho = torch.where(active, following, torch.zeros_like(rho))
    return q


def neumann(matvec: MatVec, v: Tensor, *, num_terms: int, step_size: float) -> Tensor:
    """Approximate H^-1 v by step_size * sum_{k=0..num_terms} (I - step_size H)^k v.

    Converges like (1 - step_size mu)^num_terms and diverges for step_size > 2 / L, with
    mu and L the extreme eigenvalues of H.

    Source: Lorraine et al. 2020, section 3.
    """
    term = total = v
    for _ in range(num_terms):
        term = term - step_size * matvec(term)
        total = total + term
    return step_size * total


def nystrom(
    matvec: MatVec, v: Tensor, *, rank: int, damping: Tensor, generator: torch.Generator
) -> Tensor:
    """Approximate (H + damping I)^-1 v from a random low-rank sketch of H.

    H ~ Y (Omega^T Y)^-1 Y^T with Y = H Omega and `rank` orthonormal columns Omega,
    inverted by Woodbury's identity.

    Args:
        matvec: q -> H q, each [task, dim].
        v: Right-hand side, [task, dim].
        rank: Columns of the sketch, at most dim; dim of them are exact.
        damping: Positive, [task, 1].
        generator: Where the directions come from.

    Source: Hataya & Yamada 2023 (Nystrom method for hypergradients), section 3.
    """
    dim = v.shape[1]
    shape = (rank, dim)
    noise = torch.randn(shape, generator=generator, dtype=v.dtype).to(v.device)
    basis = torch.linalg.qr(noise.T).Q.T
    images = torch.stack(
        [matvec(row.expand_as(v)) for row in basis], dim=1
    )  # [task, rank, dim]
    core = images @ basis.T
    core = 0.5 * (core + core.mT)
    inner = core * damping[:, :, None] + images @ images.mT
    # The sketch of a Hessian of lower rank is singular; a trace of rounding's size keeps
    # the solve finite, and what it adds lies in the null space that `images` removes.
    scale = inner.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    eye = torch.eye(rank, dtype=v.dtype, device=v.device)
    inner = inner + torch.finfo(v.dtype).eps * scale * eye
    right = torch.linalg.solve_ex(inner, images @ v[:, :, None]).result
    return (v - (images.mT @ right)[:, :, 0]) / damping


def dense(matvec: MatVec, v: Tensor, *, damping: float = 0.0) -> Tensor:
    """Solve (H + damping I) q = v by forming H: the reference, for small dim."""
    eye = torch.eye(v.shape[1], dtype=v.dtype, device=v.device)
    columns = [matvec(row.expand_as(v)) for row in eye]
    return torch.linalg.solve(torch.stack(columns, dim=2) + damping * eye, v)
