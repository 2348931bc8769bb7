"""The contract of a hypergradient estimator."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from metalab.core.inner import InnerLoop, InnerPath, Keep
from metalab.core.oracle import InnerOracle


class Exactness(Enum):
    """How an estimate relates to its target."""

    EXACT = "exact"
    CONVERGENT = "convergent"
    BIASED = "biased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypergradient:
    """A hypergradient and the outer loss it belongs to.

    Attributes:
        per_task: One row a task, [task, meta]; the hypergradient is their mean.
        outer_loss: Query loss after adaptation of each task, [task].
    """

    per_task: Float[Tensor, "task meta"]
    outer_loss: Float[Tensor, " task"]


class HypergradientEstimator(ABC):
    """A way to obtain the hypergradient. Implementations are frozen dataclasses.

    Attributes:
        exactness: How the estimate relates to the gradient of the K-step outer loss.
        keep: What of the inner path it needs.
        only_start: Whether it can only learn the start of the inner loop.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    exactness: ClassVar[Exactness]
    keep: ClassVar[Keep]
    only_start: ClassVar[bool] = False

    @abstractmethod
    def estimate(
        self, oracle: InnerOracle, inner: InnerLoop, path: InnerPath
    ) -> Hypergradient:
        """Return the hypergradient of each task.

        Args:
            oracle: The meta-batch at the current meta-parameters.
            inner: The loop that made `path`.
            path: The inner path, with at least what `keep` asks for.
        """
