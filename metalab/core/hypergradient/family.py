"""Families of hypergradient estimators, for tables and figures. Imports no torch."""

from enum import Enum


class EstimatorFamily(Enum):
    """Family of related estimators; each has one colour everywhere."""

    UNROLLED = "exact, through every inner step"
    FIRST_ORDER = "without second derivatives"
    START_AND_END = "from the start or the end of the inner path alone"
    TRUNCATED = "through some inner steps"
    IMPLICIT = "by the implicit function theorem"
    DIFFERENCES = "by finite differences"
    SAMPLED = "along random directions"
    OTHER = "none of these"
