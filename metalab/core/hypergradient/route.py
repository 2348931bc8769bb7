"""Routes by which hypergradients come back to the meta-parameters, for explanations.

Imports no torch.
"""

from enum import Enum


class Route(Enum):
    """Along what an estimate is carried from the outer loss to the meta-parameters."""

    EVERY_STEP = "backwards through every inner step"
    LAST_STEPS = "backwards through the last inner steps, straight through the others"
    STRAIGHT = "from the adapted parameters straight to the start"
    DIFFERENCE = "no gradient of the outer loss: the way from start to end"
    SOLUTION = "through a linear system at the adapted parameters"
    START = "from a loss at the start, before any adaptation"
    FORWARDS = "forwards along with every inner step"
    VALUES = "values of the outer loss at moved meta-parameters"
