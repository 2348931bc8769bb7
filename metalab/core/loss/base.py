"""The contract of a loss: what a prediction costs."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.tasks import Samples, Targets


class Loss(ABC):
    """A cost of predictions, averaged over the points of each task.

    The inner loop descends one on the support set, the outer loop the same or another on
    the query set. Implementations are frozen dataclasses, one a file.

    Attributes:
        unit: Of a cost, in units of the targets, as axes and CSV headers have it: "y²",
            "y", "nats"; "1" where it has none.
        quantity: What the loss of a task is called, in the middle of a sentence: "mean
            squared error".
        targets: What targets it takes.
        twice_differentiable: Whether the second derivative in the prediction exists
            everywhere and has no jumps; false unless a loss says so. Where it jumps,
            estimators that take it are exact between the jumps, and who shows them says
            so.
        gradient_jumps: Whether the first derivative itself jumps. What an inner loop
            comes to then jumps with its start, and a minimum lies at the jump, where no
            implicit derivative exists: implicit estimators are refused.
        may_be_negative: Whether a cost can be below zero: no axis of it is logarithmic.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    unit: ClassVar[str] = "1"
    quantity: ClassVar[str] = "mean loss"
    targets: ClassVar[Targets] = Targets.NUMBERS
    twice_differentiable: ClassVar[bool] = False
    gradient_jumps: ClassVar[bool] = False
    may_be_negative: ClassVar[bool] = False

    @classmethod
    def caveat(cls) -> str:
        """Return what jumps mean for estimators, as the inner loss; "" for none."""
        if cls.twice_differentiable:
            return ""
        which, unseen = "second derivative", ""
        if cls.gradient_jumps:
            which, unseen = "derivative", ", which none of them sees"
        return (
            f"The {which} of the inner loss jumps: exact estimators are exact between the "
            f"jumps{unseen}."
        )

    @classmethod
    def distance(cls) -> str:
        """Return what the loss is called against a curve: its error is a distance."""
        return cls.quantity.replace(" error", " distance")

    def num_outputs(self, num_targets: int) -> int:
        """Return how many of the network's outputs it takes; by default one a target.

        The first `num_targets` of them are the prediction. Outputs beyond those that a
        loss takes belong to the loss of the other level.
        """
        return num_targets

    def deviation(
        self, outputs: Float[Tensor, "task shot output"], num_targets: int
    ) -> Float[Tensor, "task shot"] | None:
        """Return the standard deviation that outputs predict for the first target.

        Returns:
            None for a loss whose outputs are the prediction alone.
        """
        del outputs, num_targets
        return None

    @abstractmethod
    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot cost"]:
        """Return what each point costs; the loss is their mean over both last axes.

        One cost for each output, or one for all outputs together.
        """

    def torch_expression(self) -> str | None:
        """Return the loss of one task, an expression of torch; None where none is declared.

        Of `prediction` and `target`, [point, output]; `F` is `torch.nn.functional`.
        """
        return None

    def __call__(
        self, prediction: Float[Tensor, "task shot output"], samples: Samples
    ) -> Float[Tensor, " task"]:
        """Return the mean over the points that count and over costs, for each task.

        The mean is the only reduction: dividing by the number of shots once more is a
        known fault of published code (see vmikulik/maml-pytorch issue 1).
        """
        taken = self.num_outputs(samples.y.shape[2])
        if prediction.shape[2] > taken:
            prediction = prediction[:, :, :taken]
        return samples.mean(self.costs(prediction, samples.y))
