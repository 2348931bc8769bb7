"""Components that the compiled kernels support. Does not import numba.

Kernels answer for exact types only: a subclass may have changed anything that they have
written out by hand, and nothing but its own methods would know.
"""

from collections.abc import Mapping
from typing import TypeGuard

import numpy as np
import torch

from metalab.core.errors import UserError
from metalab.core.fused import indices
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.joint import Joint
from metalab.core.hypergradient.reptile import Reptile
from metalab.core.hypergradient.truncated import Truncated
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import LearnedDescent
from metalab.core.inner.proximal_descent import ProximalDescent
from metalab.core.loss.base import Loss
from metalab.core.loss.cross_entropy import CrossEntropy
from metalab.core.loss.gaussian import GaussianLikelihood
from metalab.core.loss.huber import Huber
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import MetaParameterisation
from metalab.core.meta.body import BodyOnly
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import SGD, Adam, NoUpdate

Cost = tuple[float, float, float, float]
"""Factor, delta, constant and kind of a loss (see `indices.FACTOR`)."""

LOSSES = (SquaredError, Huber, GaussianLikelihood, CrossEntropy)
"""A square of the residual, for some losses straight from somewhere on; or of classes."""

KNOWN: Mapping[str, tuple[type, ...]] = {
    "model": (MLP,),
    "loss": LOSSES,
    "query_loss": LOSSES,
    "meta": (Initialisation, HeadOnly, BodyOnly, ProximalAnchor),
    "inner": (GradientDescent, LearnedDescent, ProximalDescent),
    "hypergradient": (Unrolled, Truncated, FirstOrder, Reptile, Joint),
    "outer.optimizer": (Adam, SGD, NoUpdate),
}
"""Exact types with kernels, by the place in an experiment that they stand in."""


class KernelError(UserError):
    """Compiled kernels were asked about something that they do not know."""


def part_unsupported_reason(place: str, part: object) -> str | None:
    """Return why the kernels do not know the component at a place, or None if they do."""
    kind = type(part)
    if kind in KNOWN[place]:
        return None
    name = getattr(part, "name", kind.__name__)
    parent = next((known for known in KNOWN[place] if issubclass(kind, known)), None)
    if parent is None:
        return f"there is no compiled kernel for {place} {name!r}"
    return (
        f"there is no compiled kernel for {place} {name!r}: {kind.__qualname__} is a "
        f"subclass of {parent.__qualname__}, and may compute something else"
    )


def adapts_some_layers(meta: MetaParameterisation) -> TypeGuard[HeadOnly | BodyOnly]:
    """Return whether a parameterisation that the kernels know shares some layers."""
    return type(meta) is HeadOnly or type(meta) is BodyOnly


def oracle_unsupported_reason(problem: BilevelProblem) -> str | None:
    """Return why the kernels cannot answer about a problem, or None if they can."""
    if type(problem) is not BilevelProblem:
        return f"there is no compiled kernel for {type(problem).__qualname__}"
    return (
        part_unsupported_reason("model", problem.model)
        or part_unsupported_reason("loss", problem.loss)
        or part_unsupported_reason("query_loss", problem.outer_level_loss)
        or _outputs_unsupported_reason(problem)
        or part_unsupported_reason("meta", problem.meta)
    )


def _outputs_unsupported_reason(problem: BilevelProblem) -> str | None:
    for loss in (problem.loss, problem.outer_level_loss):
        if loss.num_outputs(1) != 1:
            return f"there is no compiled kernel for the learned noise of {loss.name!r}"
    return None


def cost_of(loss: Loss, num_outputs: int) -> Cost:
    """Return what a loss that the kernels know is made of, for so many outputs."""
    if type(loss) is CrossEntropy:
        # All outputs together have one cost, where of others each has its own; without
        # the two of a square.
        return (0.5 * num_outputs, 0.0, 0.0, indices.CROSS_ENTROPY)
    if type(loss) is Huber:
        # Of the doubled loss, which is r^2 near zero.
        return (0.5, loss.delta, 0.0, indices.SQUARE)
    if type(loss) is GaussianLikelihood:
        return (0.5 / loss.noise_std**2, 0.0, loss.constant, indices.SQUARE)
    return (1.0, 0.0, 0.0, indices.SQUARE)


def dtype_of(dtype: torch.dtype) -> np.dtype:
    """Return numpy's name of a precision."""
    return np.dtype({torch.float32: np.float32, torch.float64: np.float64}[dtype])
