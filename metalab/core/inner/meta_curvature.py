"""Descent by a learned preconditioner that is a product over the axes of each array."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.update_loop import Here, RecordedLoop
from metalab.core.model.base import ParameterBlock
from metalab.core.script import InnerSource, NamedTensor, code


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaCurvature(RecordedLoop):
    """theta_{k+1} = theta_k - inner_lr * M grad, M learned, one matrix for each axis.

    The gradient of a weight matrix G becomes M_in^T G M_out, that of a bias b^T M. Of an
    array of more than three axes the later ones count as one. All matrices start as the
    identity, so that untrained this is gradient descent. A diagonal preconditioner is
    `learned-descent` with a rate for each parameter.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size, beside the preconditioner.

    Source: Park and Oliva 2019 (Meta-Curvature), equations 5 to 9.
    """

    name: ClassVar[str] = "meta-curvature"
    title: ClassVar[str] = "Gradient descent, learned preconditioner"
    synonyms: ClassVar[tuple[str, ...]] = (
        "Meta-Curvature",
        "preconditioned gradient descent",
        "Kronecker-factored",
    )
    learned: ClassVar[str] = "preconditioner"
    formula: ClassVar[str] = "θ ← θ − α M ∇ℓ(θ)"

    def meta_dim(self, adapted: tuple[ParameterBlock, ...]) -> int:
        """Return the numbers of all matrices."""
        return sum(size**2 for block in adapted for size in _axes(block))

    def initial_meta(
        self,
        adapted: tuple[ParameterBlock, ...],
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, " rates"]:
        """Return identities."""
        device = generator.device
        return torch.cat(
            [
                torch.eye(size, dtype=dtype, device=device).flatten()
                for block in adapted
                for size in _axes(block)
            ]
        )

    def advance(self, here: Here) -> tuple[Tensor, Tensor]:
        """Return theta less the preconditioned gradient; there is no memory."""
        parts, read = list[Tensor](), 0
        for block in here.blocks:
            grad = block.of(here.grad)
            for axis, size in enumerate(_axes(block)):
                matrix = here.learned[:, read : read + size**2]
                read += size**2
                grad = _along_axis(grad, _axes(block), axis, matrix)
            parts.append(grad)
        # Blocks lie in theta in their order and without gaps.
        update = torch.cat(parts, dim=1)
        return here.theta.sub(update, alpha=self.inner_lr), here.memory

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return descent of the preconditioned gradient."""
        tensors, read = dict[str, NamedTensor](), 0
        for name, block in adapted.items():
            for axis, size in enumerate(_axes(block)):
                tensors[f"curvature.{name}.{axis}"] = NamedTensor(
                    values=rates[read : read + size**2].reshape(size, size),
                    meaning=f"preconditioner of {name}, axis {axis}, outputs last",
                )
                read += size**2
        return InnerSource(
            tensors=tensors,
            functions=code(_PRECONDITIONED),
            step=code(_STEP, lr=repr(self.inner_lr)),
        )


_PRECONDITIONED = """
def preconditioned(name, grad):
    '''Return a gradient times a learned matrix along each axis, outputs last.'''
    count = min(max(grad.ndim, 1), 3)
    matrices = [WEIGHTS[f"curvature.{name}.{axis}"] for axis in range(count)]
    outputs_last = grad.movedim(0, -1)
    array = outputs_last.reshape([len(matrix) for matrix in matrices])
    for axis, matrix in enumerate(matrices):
        array = torch.tensordot(array, matrix, ([axis], [0])).movedim(-1, axis)
    return array.reshape(outputs_last.shape).movedim(-1, 0)
"""

_STEP = """
with torch.no_grad():
    for name, p, grad in zip(ADAPTED, adapted, grads):
        p -= <lr> * preconditioned(name, grad)
"""


def _axes(block: ParameterBlock) -> tuple[int, ...]:
    """Return the sizes of a block's axes, at most three."""
    shape = block.shape or (1,)
    return shape if len(shape) <= 3 else (*shape[:2], math.prod(shape[2:]))


def _along_axis(
    grad: Tensor, shape: tuple[int, ...], axis: int, matrix: Tensor
) -> Tensor:
    """Return an array, flat, multiplied along one axis: sum_i G[.. i ..] M[i, j].

    Args:
        grad: [task, size].
        shape: Of the array.
        axis: Which of its axes.
        matrix: Rows first, [task, shape[axis]^2].
    """
    size = shape[axis]
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    array = grad.reshape(-1, before, size, after)
    square = matrix.reshape(-1, size, size)
    return torch.einsum("tbia,tij->tbja", array, square).reshape(grad.shape)
