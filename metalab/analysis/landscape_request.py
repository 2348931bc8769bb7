"""A plane through the meta-parameters, and losses over it. Imports no torch."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from metalab.engine.events import Array, frozen

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

SURFACES = ("support", "query", "adapted")
"""One task's support loss, its query loss, the mean query loss after adaptation."""

AXES = ("paths", "outer", "gradients", "random")
"""What the plane is spanned by: the inner paths, the path of the outer loop, the support
gradients of two tasks, or directions drawn at random."""

NUM_AVERAGED = 32
"""Held-out tasks that a surface after adaptation is the mean of, at most."""

FINEST = 61
"""Points a side of a finished landscape."""


def _no_states() -> Array:
    return frozen(np.empty((0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LandscapeRequest:
    """What is asked: losses over a plane through some meta-parameters.

    Attributes:
        config: The experiment at the outer step of `phi`.
        phi: Meta-parameters, [meta]; the plane goes through the theta_0 they make.
        step: The outer step that they are from; only passed on.
        tasks: Held-out tasks whose inner paths are drawn, at least one; the losses of
            one task are those of the first.
        num_inner_steps: K', the length of the paths.
        surface: One of `SURFACES`.
        axes: One of `AXES`.
        extent: Factor on the side of the square that holds everything drawn.
        resolution: Points a side when finished.
        outer: Meta-parameters that the outer loop went through, [state, meta].
        seed: Fixes the random axes.
    """

    config: "ExperimentConfig"
    phi: Array
    step: int
    tasks: tuple[int, ...]
    num_inner_steps: int
    surface: str = "support"
    axes: str = "paths"
    extent: float = 1.0
    resolution: int = FINEST
    outer: Array = field(default_factory=_no_states)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LandscapeGrid:
    """Where a slice lies. Lengths in it are those in the space of the parameters.

    Attributes:
        centre: theta_0, which is the origin of the plane, [inner].
        u: First direction, of length 1, [inner].
        v: Second direction, of length 1 and orthogonal to it, [inner].
        paths: theta_0 ... theta_K' of each task, projected, [task, inner step, 2].
        explained: Shares of the squared distance of all theta_k from theta_0 that lie
            along u and along v.
        outer_path: States of the outer loop, projected, [state, 2].
        outer_explained: The share of their squared distance from theta_0 that lies in
            the plane; NaN without any.
        corner: Smallest coordinates of the square that is looked at.
        side: Its side.
    """

    centre: Array
    u: Array
    v: Array
    paths: Array
    explained: tuple[float, float]
    outer_path: Array
    outer_explained: float
    corner: tuple[float, float]
    side: float

    def coordinates(self, per_side: int) -> tuple[Array, Array]:
        """Return the coordinates of the grid's columns and rows, [point] each."""
        shares = np.linspace(0.0, 1.0, per_side)
        left, bottom = self.corner
        return left + self.side * shares, bottom + self.side * shares


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landscape:
    """Losses over a plane, as far as they are known.

    Attributes:
        asked: The question.
        plane: Where the slice lies.
        losses: On a grid of as many rows as columns, [row, column], the row along v from
            below; between known points they are interpolated. Not finite where the loss
            is not.
        share: Of the work that is done.
        num_averaged: Tasks that a loss is the mean of.
    """

    asked: LandscapeRequest
    plane: LandscapeGrid
    losses: Array
    share: float
    num_averaged: int = 1

    @property
    def per_side(self) -> int:
        """Points a side of the grid."""
        return len(self.losses)

    @property
    def finished(self) -> bool:
        """Whether every point is known."""
        return self.share >= 1.0
