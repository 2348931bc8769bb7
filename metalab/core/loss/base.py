"""The contract of a loss: what a prediction costs."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.tasks import Samples


class Loss(ABC):
    """A cost of predictions, averaged over the points of each task.

    Both levels use it: the inner loop descends it on the support set, the outer loop on
    the query set. Implementations are frozen dataclasses, one a file.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot cost"]:
        """Return what each point costs; the loss is their mean over both last axes.

        One cost for each output, or one for all outputs together.
        """

    def __call__(
        self, prediction: Float[Tensor, "task shot output"], samples: Samples
    ) -> Float[Tensor, " task"]:
        """Return the mean over the points that count and over costs, for each task.

        The mean is the only reduction: dividing by the number of shots once more is a
        known fault of published code (see vmikulik/maml-pytorch issue 1).
        """
        return samples.mean(self.costs(prediction, samples.y))
