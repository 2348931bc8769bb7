"""The inner loss around a point, on compiled kernels."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.oracle import Linearisation, Terms

if TYPE_CHECKING:
    from metalab.core.fused.oracle import FusedOracle

Array = np.ndarray


class FusedLinearisation(Linearisation):
    """A linearisation that keeps each task's activations."""

    __slots__ = (
        "_oracle",
        "_works",
        "grad",
        "loss",
        "minibatch",
        "terms",
        "theta",
    )

    def __init__(  # noqa: PLR0913 - what the products need
        self,
        oracle: "FusedOracle",
        theta: Tensor,
        loss: Tensor,
        grad: Tensor,
        works: Array | None,
        *,
        minibatch: slice,
        terms: Terms,
    ) -> None:
        self._oracle = oracle
        self._works = works
        self.theta, self.loss, self.grad = theta, loss, grad
        self.minibatch, self.terms = minibatch, terms

    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian of the inner loss times v, for each task."""
        oracle = self._oracle
        product = oracle.inner_part(self._product(oracle.as_network(v)))
        if self.terms is not Terms.PREDICTION and oracle.strength is not None:
            product = product + oracle.strength * v
        return product

    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Return d/dphi <grad, v>."""
        oracle = self._oracle
        assert oracle.phi_shapes_inner_loss, "phi only sets the start"
        if oracle.strength is None:
            return oracle.shared_part(self._product(oracle.as_network(v)))
        oracle.evaluations.products += 1
        if self.terms is Terms.PREDICTION:
            return v.new_zeros(oracle.num_tasks, oracle.meta_dim)
        pulled = -oracle.strength * v
        away = (self.theta - oracle.start()) * pulled
        return oracle.regulariser_part(pulled, -away.sum(dim=1, keepdim=True))

    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Return the change of the gradient along u, theta held fixed."""
        oracle = self._oracle
        assert oracle.phi_shapes_inner_loss, "phi only sets the start"
        if oracle.strength is None:
            return oracle.inner_part(self._product(oracle.shared_direction(u)))
        oracle.evaluations.products += 1
        if self.terms is Terms.PREDICTION:
            return torch.zeros_like(self.theta)
        return oracle.regulariser_change(self.theta, u)

    def _product(self, v: Tensor) -> Tensor:
        oracle = self._oracle
        oracle.evaluations.products += 1
        if self.terms is Terms.REGULARISER:
            return torch.zeros_like(v)
        assert self._works is not None, "linearised without curvature"
        start, stop, _ = self.minibatch.indices(oracle.num_shots)
        return oracle.answers.product(self._works, v, stop - start)
