"""Distance of hypergradient estimates from a reference."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A number measured on several meta-batches.

    Attributes:
        mean: Over the meta-batches.
        deviation: Standard deviation of one meta-batch's number.
        num_batches: How many meta-batches there are.
    """

    mean: float
    deviation: float
    num_batches: int

    @property
    def standard_error(self) -> float:
        """Of the mean: the deviation over the square root of the number of batches."""
        return self.deviation / math.sqrt(self.num_batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Estimates against a reference, meta-batch by meta-batch. Dimensionless.

    Attributes:
        cosine: Of the angle between the two.
        relative_error: ||estimate - reference|| / ||reference||.
        norm_ratio: ||estimate|| / ||reference||.
    """

    cosine: Spread
    relative_error: Spread
    norm_ratio: Spread


def accuracy(estimates: Tensor, reference: Tensor) -> Accuracy:
    """Compare hypergradients, in the precision of the reference.

    Args:
        estimates: One hypergradient a meta-batch, [batch, meta]; at least 2.
        reference: The right ones, [batch, meta].

    Returns:
        The three measures; NaN where a norm that divides is zero, or where an estimate
        is not finite.
    """
    found = estimates.to(reference)
    norms, right = found.norm(dim=1), reference.norm(dim=1)
    # Rounding may put the cosine of equal directions above 1.
    cosine = ((found * reference).sum(dim=1) / (norms * right)).clamp(-1.0, 1.0)
    return Accuracy(
        cosine=_spread(cosine),
        relative_error=_spread((found - reference).norm(dim=1) / right),
        norm_ratio=_spread(norms / right),
    )


def relative_variance(estimates: Tensor) -> float:
    """Return the trace of the covariance over the squared norm of the mean.

    Args:
        estimates: One hypergradient a meta-batch, [batch, meta]; at least 2.
    """
    found = estimates.to(torch.float64)
    variance = found.var(dim=0).sum()
    return float(variance / found.mean(dim=0).square().sum())


def _spread(values: Tensor) -> Spread:
    return Spread(
        mean=float(values.mean()),
        deviation=float(values.std()),
        num_batches=len(values),
    )
