"""Linear solvers H q = v for every task at once, from matrix-vector products alone.

H is symmetric, one matrix a task; vectors are rows of [task, dim]. No solver looks at a
value in between, so none waits for the device: a task that has converged is masked. Each
says how well it did, in `SolveQuality`: an answer that is not one must not pass for one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

MatVec = Callable[[Tensor], Tensor]

TOLERANCE = 1e-6
"""Relative residual up to which a system counts as solved, unless a solver is told one."""

QUALITY_NAMES = (
    "not_positive_definite_solves",
    "unconverged_solves",
    "solve_residual",
)
"""Entries of `SolveQuality.summary`, in order; described in `engine.events.METRICS`."""

_SHIFTS, _PASSES = 32, 10
"""Of the search for an eigenvalue: 32^10 parts are beyond any precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tridiagonal:
    """What Lanczos' process makes of each task's H: its projection on a Krylov space.

    Attributes:
        diagonal: [task, iteration]; inf after a task's last iteration.
        off_diagonal: Between each iteration and the next, [task, iteration]; that of a
            task's last iteration leads nowhere, and later ones are 0.
    """

    diagonal: Float[Tensor, "task iteration"]
    off_diagonal: Float[Tensor, "task iteration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveQuality:
    """How well each task's system was solved.

    Attributes:
        residual: ||v - H q|| / ||v||, [task]; 0 where v is 0.
        positive_definite: Whether the solver met directions of positive curvature only,
            [task]: where not, H has an eigenvalue that is not positive.
        tolerance: Residual up to which a system counts as solved.
        tridiagonal: The projection of H that was solved, where there is one.
    """

    residual: Float[Tensor, " task"]
    positive_definite: Bool[Tensor, " task"]
    tolerance: float
    tridiagonal: Tridiagonal | None = None

    @property
    def converged(self) -> Bool[Tensor, " task"]:
        """Whether a task's residual is within the tolerance; not where it is NaN."""
        return self.residual <= self.tolerance

    def summary(self) -> Float[Tensor, " quality"]:
        """Return the numbers of `QUALITY_NAMES` over the tasks, on the device."""
        indefinite = (~self.positive_definite).sum()
        unconverged = (~self.converged).sum()
        return torch.stack(
            [
                indefinite.to(self.residual.dtype),
                unconverged.to(self.residual.dtype),
                self.residual.max(),
            ]
        )

    def smallest_ritz_values(self) -> Float[Tensor, " task"]:
        """Return the smallest eigenvalue of each projection; NaN where there is none.

        It lies above the smallest eigenvalue of H, and comes down to it with the
        iterations.
        """
        if self.tridiagonal is None:
            return torch.full_like(self.residual, torch.nan)
        return smallest_eigenvalues(self.tridiagonal)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSolution:
    """What stands for H^-1 v.

    Attributes:
        q: [task, dim].
        quality: How far it is from that; None where that was not measured.
    """

    q: Float[Tensor, "task dim"]
    quality: SolveQuality | None = None


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=1, keepdim=True)


def _norm(a: Tensor) -> Tensor:
    return torch.linalg.vector_norm(a, dim=1, keepdim=True)


def _over(a: Tensor, b: Tensor) -> Tensor:
    """Return a / b, and a where b is 0: the other branch of a `where` divides as well."""
    return a / torch.where(b != 0, b, 1.0)


def _less(a: Tensor, share: Tensor, b: Tensor) -> Tensor:
    """Return a - share b, in one go."""
    return torch.addcmul(a, share, b, value=-1)


class _ConjugateGradients:
    """The iterate of Galerkin's condition: T y = ||v|| e_1 by T = L D L^T.

    Its pivots D are the curvatures along conjugate directions; a first one that is not
    positive ends it for that task.

    Attributes:
        q: The iterate, [task, dim].
        definite: Whether all pivots were positive so far, [task, 1].
        residual: Norm of the residual, [task, 1].
    """

    def __init__(self, v: Tensor, norm: Tensor) -> None:
        self.q = self._direction = torch.zeros_like(v)
        self.definite = torch.ones_like(norm, dtype=torch.bool)
        self.residual = self._height = norm
        self._pivot = torch.ones_like(norm)

    def advance(self, row: "_Row", active: Tensor) -> None:
        """Take one more step; nothing for tasks that are not active."""
        ratio = row.beta / self._pivot
        pivot = row.alpha - ratio * row.beta
        self.definite = self.definite & ((pivot > row.rounding) | ~active)
        going = self.definite & active
        # Zeros where a task has ended: what goes on growing would be infinite one day.
        ratio = torch.where(going, ratio, 0.0)
        self._pivot = torch.where(going, pivot, 1.0)
        self._height = torch.where(going, self._height, 0.0)
        self._direction = _less(row.basis, ratio, self._direction)
        step = self._height / self._pivot
        self.q = torch.addcmul(self.q, step, self._direction)
        self._height = -row.following * step
        self.residual = torch.where(going, self._height.abs(), self.residual)


class _MinimalResiduals:
    """The iterate with the smallest residual: T y = ||v|| e_1 by rotations.

    It needs no sign of H, and no pivot of T other than zero; a step at which T is
    singular to rounding cannot make the residual smaller, and is not made.

    Attributes:
        q: The iterate, [task, dim].
        moves: Whether all steps were made so far, [task, 1].
        residual: Norm of the residual, [task, 1].

    Source: Paige & Saunders 1975, section 6 (MINRES).
    """

    def __init__(self, v: Tensor, norm: Tensor) -> None:
        self.q = self._last = self._before = torch.zeros_like(v)
        self.moves = torch.ones_like(norm, dtype=torch.bool)
        self.residual = norm
        self._cosine = -torch.ones_like(norm)
        self._sine = self._bar = self._epsilon = torch.zeros_like(norm)

    def advance(self, row: "_Row", active: Tensor) -> None:
        """Take one more step; nothing for tasks that are not active."""
        delta = self._cosine * self._bar + self._sine * row.alpha
        bar = self._sine * self._bar - self._cosine * row.alpha
        following = self._cosine * row.following
        # ||H r|| / ||r|| of the residual before this step.
        slope = torch.hypot(bar, following)
        length = torch.hypot(bar, row.following)
        self.moves = self.moves & ((slope > row.singular) | ~active)
        moving = self.moves & active
        vector = _less(row.basis, self._epsilon, self._before)
        vector = _less(vector, delta, self._last)
        # Zeros where a task has ended, as there.
        inverse = torch.where(moving, 1 / length, 0.0)
        self._before, self._last = self._last, inverse * vector
        cosine, sine = inverse * bar, inverse * row.following
        self.q = torch.addcmul(self.q, cosine * self.residual, self._last)
        self.residual = torch.where(moving, sine * self.residual, self.residual)
        self._epsilon, self._bar = self._sine * row.following, -following
        self._cosine, self._sine = cosine, sine


@dataclass(frozen=True, slots=True)
class _Row:
    """One iteration of Lanczos' process; numbers are [task, 1].

    Attributes:
        basis: The orthonormal vector of this iteration, [task, dim].
        alpha: Diagonal of T.
        beta: Off-diagonal of T before it.
        following: Off-diagonal of T after it.
        rounding: What is zero beside T.
        singular: Below it T is singular as far as minimal residuals can tell: their
            error grows with the square of the condition number.
    """

    basis: Tensor
    alpha: Tensor
    beta: Tensor
    following: Tensor
    rounding: Tensor
    singular: Tensor


def conjugate_gradient(
    matvec: MatVec,
    v: Tensor,
    *,
    num_iterations: int,
    tolerance: float,
    descends: bool = False,
) -> LinearSolution:
    """Solve H q = v, by conjugate gradients where H is positive definite.

    One Lanczos process gives two iterates of the same Krylov space. Tasks that have met
    positive curvature only take that of conjugate gradients. Where a direction of no
    positive curvature was met, its next step may be of any size and in any direction;
    those tasks take that of minimal residuals, which comes to the solution as soon
    without ever being further from it, as the residual tells, than no solution at all.

    Args:
        matvec: q -> H q, each [task, dim].
        v: Right-hand side, [task, dim].
        num_iterations: Most iterations; dim of them are exact but for rounding.
        tolerance: Residual norm, relative to ||v||, at which a task stops; below the
            precision of the numbers it is that.
        descends: Tasks stop before the first direction of no positive curvature, so that
            <q, v> >= 0: the step of a truncated Newton method, not the solution.

    Returns:
        q, and how well it solves the system. A task stops early only where it has
        converged, or where nothing can make the residual smaller: H is singular and v
        is not in its range.

    Source: Hestenes & Stiefel 1952; its use in Rajeswaran et al. 2019, section 3. In
        Lanczos' form, beside MINRES: Paige & Saunders 1975, sections 3 and 6.
    """
    precision = torch.finfo(v.dtype).eps
    norm = _norm(v)
    gradients, residuals = _ConjugateGradients(v, norm), _MinimalResiduals(v, norm)
    basis, before = _over(v, norm), torch.zeros_like(v)
    beta = size = torch.zeros_like(norm)
    active, left = norm > 0, norm
    columns: list[tuple[Tensor, Tensor]] = []
    for _ in range(num_iterations):
        image = matvec(basis)
        alpha = _dot(basis, image)
        image = _less(_less(image, alpha, basis), beta, before)
        following = _norm(image)
        size = torch.maximum(size, alpha.abs() + beta + following)
        row = _Row(
            basis, alpha, beta, following, 10 * precision * size, precision**0.5 * size
        )
        columns.append(_column(row, active))
        gradients.advance(row, active)
        residuals.advance(row, active)
        definite = gradients.definite
        now = torch.where(definite, gradients.residual, residuals.residual)
        left = torch.where(active, now, left)
        goes_on = definite if descends else definite | residuals.moves
        active = active & goes_on & (following > row.rounding)
        active = active & (left > max(tolerance, precision) * norm)
        beta = torch.where(active, following, 0.0)
        before, basis = basis, torch.where(active, 1 / following, 0.0) * image
    q = gradients.q
    if not descends:
        q = torch.where(gradients.definite, q, residuals.q)
    # A right-hand side that is no number has no solution either, not even zero.
    q = torch.where(norm.isfinite(), q, torch.nan)
    return LinearSolution(
        q=q,
        quality=SolveQuality(
            residual=_over(left, norm)[:, 0],
            positive_definite=gradients.definite[:, 0],
            tolerance=max(tolerance, precision),
            tridiagonal=_joined(columns),
        ),
    )


def _column(row: _Row, active: Tensor) -> tuple[Tensor, Tensor]:
    """Return the entries of T of one iteration, with what `Tridiagonal` says of others."""
    return (
        torch.where(active, row.alpha, torch.inf),
        torch.where(active, row.following, 0.0),
    )


def _joined(columns: list[tuple[Tensor, Tensor]]) -> Tridiagonal | None:
    if not columns:
        return None
    diagonal, off_diagonal = zip(*columns, strict=True)
    return Tridiagonal(
        diagonal=torch.cat(diagonal, dim=1), off_diagonal=torch.cat(off_diagonal, dim=1)
    )


def smallest_eigenvalues(matrices: Tridiagonal) -> Float[Tensor, " task"]:
    """Return the smallest eigenvalue of each matrix, by counting below shifts.

    T - x has a negative pivot for each eigenvalue below x (Sylvester's law of inertia),
    so cutting the interval that holds the smallest one needs no decomposition, and no
    look at a value.

    Source: Barth, Martin & Wilkinson 1967.
    """
    diagonal, off = matrices.diagonal, matrices.off_diagonal
    before = torch.nn.functional.pad(off, (1, 0))[:, :-1]
    # An off-diagonal of the last iteration leads nowhere.
    after = torch.nn.functional.pad(off[:, :-1], (0, 1))
    after = torch.where(_has_next(diagonal), after, 0.0)
    low = (diagonal - before.abs() - after.abs()).amin(dim=1, keepdim=True)
    high = diagonal.amin(dim=1, keepdim=True)
    parts = torch.linspace(0, 1, _SHIFTS + 1, dtype=low.dtype, device=low.device)
    for _ in range(_PASSES):
        shifts = low + (high - low) * parts
        below = _has_eigenvalue_below(diagonal, before, shifts)
        at = (~below).sum(dim=1, keepdim=True).clamp(min=1, max=_SHIFTS)
        low, high = shifts.gather(1, at - 1), shifts.gather(1, at)
    # A task that never iterated has no matrix.
    return torch.where(low.isfinite(), 0.5 * (low + high), torch.nan)[:, 0]


def _has_next(diagonal: Tensor) -> Tensor:
    """Return where the following diagonal entry belongs to the matrix."""
    following = torch.nn.functional.pad(diagonal[:, 1:], (0, 1), value=torch.inf)
    return following.isfinite()


def _has_eigenvalue_below(diagonal: Tensor, before: Tensor, shifts: Tensor) -> Tensor:
    """Return whether each matrix has an eigenvalue below each shift, [task, shift]."""
    found = torch.zeros_like(shifts, dtype=torch.bool)
    pivot = torch.ones_like(shifts)
    tiny = torch.finfo(shifts.dtype).tiny
    for alpha, beta in zip(diagonal.T, before.T, strict=True):
        pivot = torch.where(pivot.abs() < tiny, tiny, pivot)
        pivot = alpha[:, None] - shifts - (beta**2)[:, None] / pivot
        found = found | (pivot < 0)
    return found


def neumann(
    matvec: MatVec, v: Tensor, *, num_terms: int, step_size: float
) -> LinearSolution:
    """Approximate H^-1 v by step_size * sum_{k=0..num_terms} (I - step_size H)^k v.

    Converges like (1 - step_size mu)^num_terms and diverges for step_size > 2 / L, with
    mu and L the extreme eigenvalues of H. The term after the last is the residual: it is
    computed for that, by one more product than the sum needs.

    Source: Lorraine et al. 2020, section 3.
    """
    norm = _norm(v)
    total = torch.zeros_like(v)
    term, definite = v, torch.ones_like(norm, dtype=torch.bool)
    for _ in range(num_terms + 1):
        total = total + term
        product = matvec(term)
        # A term of nothing has no curvature.
        definite = definite & ((_dot(term, product) > 0) | (_dot(term, term) == 0))
        term = term - step_size * product
    return LinearSolution(
        q=step_size * total,
        quality=SolveQuality(
            residual=_over(_norm(term), norm)[:, 0],
            positive_definite=definite[:, 0],
            tolerance=TOLERANCE,
        ),
    )


def nystrom(
    matvec: MatVec, v: Tensor, *, rank: int, damping: Tensor, generator: torch.Generator
) -> LinearSolution:
    """Approximate (H + damping I)^-1 v from a random low-rank sketch of H.

    H ~ Y (Omega^T Y)^-1 Y^T with Y = H Omega and `rank` orthonormal columns Omega,
    inverted by Woodbury's identity. One more product tells the residual.

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
    q = (v - (images.mT @ right)[:, :, 0]) / damping
    # Along the directions of the sketch H + damping I is this, to the sign.
    projected = torch.linalg.cholesky_ex(core + damping[:, :, None] * eye)
    return LinearSolution(
        q=q,
        quality=SolveQuality(
            residual=_over(_norm(v - matvec(q) - damping * q), _norm(v))[:, 0],
            positive_definite=projected.info == 0,
            tolerance=TOLERANCE,
        ),
    )


def dense(matvec: MatVec, v: Tensor, *, damping: float = 0.0) -> Tensor:
    """Solve (H + damping I) q = v by forming H: the reference, for small dim."""
    eye = torch.eye(v.shape[1], dtype=v.dtype, device=v.device)
    columns = [matvec(row.expand_as(v)) for row in eye]
    return torch.linalg.solve(torch.stack(columns, dim=2) + damping * eye, v)
