"""Second derivatives of the inner loss as differences of first ones."""

import torch
from torch import Tensor

from metalab.core.oracle import InnerOracle, Linearisation, PartialGradients


class DifferencedLinearisation(Linearisation):
    """Products with H and B^T from gradients at theta +- epsilon v / ||v||."""

    __slots__ = (
        "_central",
        "_epsilon",
        "_last",
        "_oracle",
        "grad",
        "loss",
        "minibatch",
        "terms",
        "theta",
    )

    def __init__(
        self,
        oracle: InnerOracle,
        linearisation: Linearisation,
        *,
        epsilon: float,
        central: bool,
    ) -> None:
        self.loss = linearisation.loss
        self.grad = linearisation.grad
        self.theta = linearisation.theta
        self.minibatch = linearisation.minibatch
        self.terms = linearisation.terms
        self._oracle = oracle
        self._epsilon = epsilon
        self._central = central
        self._last: tuple[Tensor, PartialGradients] | None = None

    def hvp(self, v: Tensor) -> Tensor:
        """Return the difference of the gradients in theta."""
        return self._difference(v).theta

    def mixed_vjp(self, v: Tensor) -> Tensor:
        """Return the difference of the gradients in phi."""
        change = self._difference(v).phi
        assert change is not None, "phi only sets the start: no mixed derivative"
        return change

    def mixed_jvp(self, u: Tensor) -> Tensor:
        """Refuse: B u asks for a step in phi, which no estimator here takes."""
        raise NotImplementedError

    def _difference(self, v: Tensor) -> PartialGradients:
        # A step asks for H v and B^T v, of one and the same v: one difference gives both.
        if self._last is None or self._last[0] is not v:
            self._last = (v, self._differenced(v))
        return self._last[1]

    def _differenced(self, v: Tensor) -> PartialGradients:
        norm = torch.linalg.vector_norm(v, dim=1, keepdim=True)
        # The product with zero is zero, whatever the step.
        step = self._epsilon / torch.where(norm > 0, norm, torch.ones_like(norm))
        above = self._at(self.theta + step * v)
        below = self._at(self.theta - step * v if self._central else self.theta)
        width = 2 * step if self._central else step
        phi = None
        if above.phi is not None and below.phi is not None:
            phi = (above.phi - below.phi) / width
        return PartialGradients(theta=(above.theta - below.theta) / width, phi=phi)

    def _at(self, theta: Tensor) -> PartialGradients:
        return self._oracle.both_gradients(self, theta)
