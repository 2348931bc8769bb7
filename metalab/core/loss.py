"""Losses of one task."""

from jaxtyping import Float
from torch import Tensor


def mean_squared_error(
    prediction: Float[Tensor, "task shot output"],
    target: Float[Tensor, "task shot output"],
) -> Float[Tensor, " task"]:
    """Return the squared error, averaged over shots and outputs, for each task.

    The mean is the only reduction here: dividing by the number of shots once more is a
    known fault of published code (see vmikulik/maml-pytorch issue 1).
    """
    residual = prediction - target
    return (residual * residual).mean(dim=(1, 2))
