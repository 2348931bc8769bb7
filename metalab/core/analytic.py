"""The oracle for a multilayer perceptron that is learned as it is: no graph, no tape.

Autodiff records every operation and walks the record back, twice for a product with the
Hessian. The derivatives of a multilayer perceptron under squared error are short enough
to be written down, and take about half the time on every device.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.autodiff import AutodiffOracle
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem, Linearisation, LossTerms, OuterValue
from metalab.core.tasks import Samples


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pass:
    """A forward and a backward pass; lists are by layer, first to last.

    Attributes:
        hidden: What each layer is given, [task, shot, input].
        slopes: Derivative of the nonlinearity before each layer but the first,
            [task, shot, input].
        pulled: Cotangent of `hidden` of each layer but the first.
        errors: Cotangent of what each layer gives, [task, shot, output].
        scale: What a residual is multiplied by to become a cotangent, 2 / (N C): a
            number, or [task, shot, 1] where the tasks have different sizes.
        loss: Mean squared error, [task].
        grad: Its gradient, [task, dim].
    """

    hidden: list[Tensor]
    slopes: list[Tensor]
    pulled: list[Tensor]
    errors: list[Tensor]
    scale: float | Tensor
    loss: Tensor
    grad: Tensor


def parts_of(
    model: MLP, theta: Float[Tensor, "task dim"]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return weights [task, input, output] and biases [task, 1, output], as views."""
    arrays = theta.split([block.size for block in model.blocks], dim=1)
    weights = [
        part.view(len(theta), *block.shape)
        for part, block in zip(arrays[::2], model.blocks[::2], strict=True)
    ]
    return weights, [part.unsqueeze(1) for part in arrays[1::2]]


def slope(activation: str, z: Tensor, value: Tensor) -> Tensor:
    """Return the derivative of a nonlinearity at z, where it has a value."""
    if activation == "relu":
        return value.sign()
    return 1 - value * value if activation == "tanh" else torch.cos(z)


def bend(activation: str, value: Tensor, slopes: Tensor) -> Tensor | None:
    """Return the second derivative; None where it is 0."""
    if activation == "relu":
        return None
    return -2 * value * slopes if activation == "tanh" else -value


_NO_MIXED = "phi only sets the start: no mixed derivative, asked for along {}"

_ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}


def run(model: MLP, theta: Tensor, samples: Samples) -> Pass:
    """Return the mean squared error of each task with its gradient.

    Source: Rumelhart, Hinton & Williams 1986.
    """
    weights, biases = parts_of(model, theta)
    hidden, slopes = [samples.x], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        z = torch.baddbmm(bias, hidden[-1], weight)
        hidden.append(_ACTIVATIONS[model.activation](z))
        slopes.append(slope(model.activation, z, hidden[-1]))
    residual = torch.baddbmm(biases[-1], hidden[-1], weights[-1]).sub_(samples.y)
    loss = samples.mean(residual.square())
    scale = _scale(samples)
    error = residual.mul_(scale)
    errors, pulled = [error], []
    for weight, steep in zip(reversed(weights[1:]), reversed(slopes), strict=True):
        pulled.append(torch.bmm(errors[-1], weight.mT))
        errors.append(pulled[-1] * steep)
    errors.reverse()
    pulled.reverse()
    arrays = [
        (torch.bmm(h.mT, e), e.sum(dim=1)) for h, e in zip(hidden, errors, strict=True)
    ]
    return Pass(
        hidden=hidden,
        slopes=slopes,
        pulled=pulled,
        errors=errors,
        scale=scale,
        loss=loss,
        grad=flattened(arrays),
    )


def _scale(samples: Samples) -> float | Tensor:
    """Return the derivative of the mean squared error in a residual, over the residual."""
    _, shots, outputs = samples.y.shape
    if samples.mask is None:
        return 2 / (shots * outputs)
    return (2 / outputs * samples.mask / samples.num_shots)[..., None]


def hessian_product(
    model: MLP, theta: Tensor, done: Pass, v: Float[Tensor, "task dim"]
) -> Float[Tensor, "task dim"]:
    """Return the Hessian of the loss times v.

    Source: Pearlmutter 1994, section 3 (the R operator on both passes).
    """
    weights, _ = parts_of(model, theta)
    turned, shifts = parts_of(model, v)
    # Forward: the change of what each layer is given, and of what it gives.
    moved: list[Tensor | None] = [None]
    changes: list[Tensor] = []
    for layer, weight in enumerate(weights):
        change = torch.baddbmm(shifts[layer], done.hidden[layer], turned[layer])
        before = moved[-1]
        if before is not None:
            change = torch.baddbmm(change, before, weight)
        changes.append(change)
        if layer < len(done.slopes):
            moved.append(done.slopes[layer] * change)
    error = changes[-1] * done.scale
    arrays: list[tuple[Tensor, Tensor]] = []
    for layer in range(len(weights) - 1, -1, -1):
        product = torch.bmm(done.hidden[layer].mT, error)
        before = moved[layer]
        if before is not None:
            product = torch.baddbmm(product, before.mT, done.errors[layer])
        arrays.append((product, error.sum(dim=1)))
        if layer > 0:
            error = _pulled(model, done, layer, error, weights, turned, changes)
    return flattened(arrays[::-1])


def _pulled(  # noqa: PLR0913 - both passes meet here
    model: MLP,
    done: Pass,
    layer: int,
    error: Tensor,
    weights: list[Tensor],
    turned: list[Tensor],
    changes: list[Tensor],
) -> Tensor:
    """Return the change of the cotangent before a layer."""
    pulled = torch.bmm(error, weights[layer].mT)
    pulled = torch.baddbmm(pulled, done.errors[layer], turned[layer].mT)
    slopes = done.slopes[layer - 1]
    change = pulled.mul_(slopes)
    second = bend(model.activation, done.hidden[layer], slopes)
    if second is None:
        return change
    return change.addcmul_(done.pulled[layer - 1] * second, changes[layer - 1])


def flattened(arrays: list[tuple[Tensor, Tensor]]) -> Float[Tensor, "task dim"]:
    """Return arrays of weights and biases as they lie in theta."""
    return torch.cat(
        [part for weight, bias in arrays for part in (weight.flatten(1), bias)], dim=1
    )


class AnalyticLinearisation(Linearisation):
    """A linearisation with what both passes have left behind."""

    __slots__ = (
        "_model",
        "_oracle",
        "_pass",
        "grad",
        "loss",
        "minibatch",
        "terms",
        "theta",
    )

    def __init__(
        self, oracle: "AnalyticOracle", model: MLP, theta: Tensor, minibatch: slice
    ) -> None:
        self._oracle = oracle
        self._model = model
        self._pass = run(model, theta, oracle.support(minibatch))
        self.loss = self._pass.loss
        self.grad = self._pass.grad
        self.theta = theta
        self.minibatch = minibatch
        self.terms = LossTerms.ALL

    def hvp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task inner"]:
        """Return the Hessian-vector product."""
        self._oracle.evaluations.products += 1
        return hessian_product(self._model, self.theta, self._pass, v)

    def mixed_vjp(self, v: Float[Tensor, "task inner"]) -> Float[Tensor, "task meta"]:
        """Never asked for: phi does not shape the inner loss."""
        raise AssertionError(_NO_MIXED.format(v.shape))

    def mixed_jvp(self, u: Float[Tensor, "task meta"]) -> Float[Tensor, "task inner"]:
        """Never asked for: phi does not shape the inner loss."""
        raise AssertionError(_NO_MIXED.format(u.shape))


class AnalyticOracle(AutodiffOracle):
    """Answers by formulas, where `suits` says so."""

    __slots__ = ()

    @staticmethod
    def suits(problem: BilevelProblem) -> bool:
        """Return whether the formulas are those of a problem."""
        # Not of a subclass: a third party may have changed what it predicts.
        return (
            type(problem) is BilevelProblem
            and type(problem.meta) is Initialisation
            and type(problem.model) is MLP
            and type(problem.loss) is SquaredError
            and type(problem.outer_level_loss) is SquaredError
        )

    def support(self, minibatch: slice) -> Samples:
        """Return the support points that count."""
        support = self._batch.support
        if minibatch == slice(None):
            return support
        return support.shots(minibatch)

    def linearise(
        self,
        theta: Float[Tensor, "task inner"],
        *,
        minibatch: slice = slice(None),
        terms: LossTerms = LossTerms.ALL,
        curvature: bool,
    ) -> Linearisation:
        """Evaluate loss and gradient at theta; products always can be asked for."""
        del curvature
        assert terms is not LossTerms.REGULARISER, "the inner loss has no regulariser"
        self.evaluations.gradients += 1
        return AnalyticLinearisation(self, self._mlp(), theta.detach(), minibatch)

    def outer_value_and_grad(self, theta: Float[Tensor, "task inner"]) -> OuterValue:
        """Return the query loss and its gradient in theta."""
        self.evaluations.gradients += 1
        done = run(self._mlp(), theta.detach(), self._batch.query)
        return OuterValue(loss=done.loss, grad=done.grad, direct=None)

    def at_shifted_phi(self, delta: Float[Tensor, "#task meta"]) -> "AnalyticOracle":
        """Return the same batch at phi + delta."""
        phi = self._phi.detach() + delta
        return AnalyticOracle(self._problem, phi, self._batch, self.evaluations)

    def _mlp(self) -> MLP:
        model = self._problem.model
        assert type(model) is MLP, "the formulas are those of an MLP"
        return model
