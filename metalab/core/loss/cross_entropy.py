"""The cross-entropy of classes."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid

from metalab.core.loss.base import Loss
from metalab.core.tasks import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropy(Loss):
    """-sum_c y_c log p_c of each point, averaged over shots; in nats.

    The outputs are logits z, p = softmax(z), and y the probability of each class: 1 and
    zeros where the class is known. One output is the logit of the second of two classes,
    p = 1 / (1 + exp(-z)), and its target the probability of that class, 0 or 1 where it is
    known. Targets that are numbers of classes are not taken; one-hot vectors are.

    Source: Bishop 2006, equations 4.90 (one output) and 4.108.
    """

    name: ClassVar[str] = "cross-entropy"
    title: ClassVar[str] = "Cross-entropy"
    synonyms: ClassVar[tuple[str, ...]] = (
        "log loss",
        "softmax",
        "classification",
        "binary cross-entropy",
    )
    unit: ClassVar[str] = "nats"
    quantity: ClassVar[str] = "mean cross-entropy"
    targets: ClassVar[Targets] = Targets.PROBABILITIES
    twice_differentiable: ClassVar[bool] = True

    def costs(
        self,
        prediction: Float[Tensor, "task shot output"],
        target: Float[Tensor, "task shot output"],
    ) -> Float[Tensor, "task shot 1"]:
        """Return the cross-entropy of each point."""
        if prediction.shape[2] == 1:
            # -y log p - (1 - y) log(1 - p), and log(1 - p) is log p - z.
            return (1 - target) * prediction - logsigmoid(prediction)
        log_p = log_softmax(prediction, dim=2)
        return -(target * log_p).sum(dim=2, keepdim=True)

    def torch_expression(self) -> str:
        """Return torch's own: of two classes where there is one output."""
        binary = "F.binary_cross_entropy_with_logits(prediction, target)"
        return (
            f"{binary} if target.shape[1] == 1 else F.cross_entropy(prediction, target)"
        )
