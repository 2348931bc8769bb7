"""An update rule that is learned: a small network for each parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.update_loop import Here, RecordedLoop
from metalab.core.model.base import ParameterBlock
from metalab.core.script import InnerSource, NamedTensor, code
from metalab.core.spec import option

_NUM_FEATURES = 3
"""Gradient, running mean of gradients, parameter."""

_FLOOR = 1e-8
"""Size below which gradients are not made larger for the network to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedUpdate(RecordedLoop):
    """theta_{k+1} = theta_k - inner_lr * (g + s * network(g / s, m / s, theta)).

    One perceptron with a hidden layer sees every parameter by itself; its weights are
    learned by the outer loop and shared by all parameters. g is the gradient, m its
    running mean and s the root of the mean square of g over the task's parameters, so that
    the rule scales with the loss. The last layer starts at zero: untrained this is
    gradient descent.

    Attributes:
        num_inner_steps: K.
        inner_lr: Step size, beside what is learned.
        num_hidden_units: Width of the network's hidden layer.
        mean_share: Share of the running mean of gradients that a step keeps.

    Source: after Andrychowicz et al. 2016, section 2.1 (a recurrent network for each
        coordinate), and Metz et al. 2019, section 4.1 (a perceptron instead, of such
        features).
    """

    name: ClassVar[str] = "learned-update"
    title: ClassVar[str] = "Learned update rule"
    synonyms: ClassVar[tuple[str, ...]] = (
        "learned optimiser",
        "learning to learn by gradient descent",
        "L2L",
    )
    learned: ClassVar[str] = "update rule"
    formula: ClassVar[str] = "θ ← θ − α u(∇ℓ(θ), m, θ)"

    num_hidden_units: int = option(
        8,
        label="Rule's hidden units",
        help="Width of the network that sees each parameter.",
        unit="units",
        low=1,
        high=256,
        advanced=True,
        synonyms=("hidden size", "learned optimiser"),
    )
    mean_share: float = option(
        0.9,
        label="Rule's gradient mean",
        help="Share of the running mean of inner gradients that a step keeps; the rule sees "
        "the mean beside the gradient.",
        low=0.0,
        high=0.9999,
        advanced=True,
        synonyms=("momentum",),
    )

    def meta_dim(self, adapted: tuple[ParameterBlock, ...]) -> int:
        """Return the numbers of the network: two weight matrices and two biases."""
        del adapted
        return (_NUM_FEATURES + 2) * self.num_hidden_units + 1

    def initial_meta(
        self,
        adapted: tuple[ParameterBlock, ...],
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, " rates"]:
        """Draw the first layer as standard normal / sqrt(inputs); the rest is zero."""
        hidden = _NUM_FEATURES * self.num_hidden_units
        drawn = torch.randn(
            hidden, generator=generator, dtype=dtype, device=generator.device
        )
        return torch.nn.functional.pad(
            drawn / _NUM_FEATURES**0.5, (0, self.meta_dim(adapted) - hidden)
        )

    def memory_width(self, inner_dim: int) -> int:
        """Return the width of the running mean."""
        return inner_dim

    def advance(self, here: Here) -> tuple[Tensor, Tensor]:
        """Return theta after the rule's step, and the mean of gradients."""
        grad = here.grad
        mean = self.mean_share * here.memory + (1 - self.mean_share) * grad
        square = grad.square().mean(dim=1, keepdim=True)
        scale = (square + _FLOOR**2).sqrt()
        features = torch.stack([grad / scale, mean / scale, here.theta], dim=2)
        update = grad + scale * self._network(features, here.learned)
        return here.theta.sub(update, alpha=self.inner_lr), mean

    def _network(self, features: Tensor, learned: Tensor) -> Tensor:
        """Return the network's output at each parameter, [task, inner]."""
        width = self.num_hidden_units
        sizes = (_NUM_FEATURES * width, width, width, 1)
        first, bias, last, shift = learned.split(sizes, dim=1)
        hidden = torch.bmm(features, first.reshape(-1, _NUM_FEATURES, width))
        hidden = torch.tanh(hidden + bias[:, None])
        return torch.bmm(hidden, last[:, :, None])[:, :, 0] + shift

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return steps by the learned rule, on all parameters as one vector."""
        del adapted
        width = self.num_hidden_units
        sizes = (_NUM_FEATURES * width, width, width, 1)
        first, bias, last, shift = rates.split(sizes)
        parts = {"first": first.reshape(-1, width), "bias": bias}
        parts |= {"last": last, "shift": shift}
        return InnerSource(
            tensors={
                f"rule.{name}": NamedTensor(
                    values=values, meaning=f"update rule, {name}"
                )
                for name, values in parts.items()
            },
            functions=code(_RULE),
            before="mean = 0.0",
            step=code(
                _STEP,
                keep=repr(self.mean_share),
                lr=repr(self.inner_lr),
                floor=_FLOOR**2,
            ),
        )


_RULE = """
def rule(features):
    '''Return the output of the learned rule at each parameter.'''
    hidden = torch.tanh(features @ WEIGHTS["rule.first"] + WEIGHTS["rule.bias"])
    return hidden @ WEIGHTS["rule.last"] + WEIGHTS["rule.shift"]
"""

_STEP = """
with torch.no_grad():
    theta = nn.utils.parameters_to_vector(adapted)
    grad = nn.utils.parameters_to_vector(grads)
    mean = <keep> * mean + (1 - <keep>) * grad
    scale = (grad.square().mean() + <floor>).sqrt()
    features = torch.stack([grad / scale, mean / scale, theta], dim=1)
    theta -= <lr> * (grad + scale * rule(features))
    nn.utils.vector_to_parameters(theta, adapted)
"""
