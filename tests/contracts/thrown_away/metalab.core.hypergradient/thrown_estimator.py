"""The exact hypergradient under another name."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.hypergradient.family import EstimatorFamily
from metalab.core.hypergradient.unrolled import Unrolled


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownEstimator(Unrolled):
    """Differentiate through every inner step.

    Equals: the gradient of the K-step outer loss.
    Valid: always.
    Cost: K Hessian-vector products.
    Exactness: exact.

    Source: here.
    """

    name: ClassVar[str] = "thrown-estimator"
    title: ClassVar[str] = "Thrown in"
    family: ClassVar[EstimatorFamily] = EstimatorFamily.OTHER
    place_in_family: ClassVar[int | None] = None
