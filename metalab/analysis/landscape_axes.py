"""Directions of a plane through parameters, and what lies along them. Imports no torch."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metalab.core.errors import UserError
from metalab.engine.events import Array

_AIR = 1.3
"""The side of the square, for each unit of what it has to hold."""

_PARALLEL = 1e-6
"""What is left of a direction without another, relative, where they count as parallel."""


class LandscapeError(UserError):
    """A slice that a method does not have."""


class Block(Protocol):
    """What is needed of `core.model.base.ParameterBlock`."""

    @property
    def layer(self) -> int:
        """Index of the layer."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, inputs first."""
        ...

    @property
    def size(self) -> int:
        """Number of parameters."""
        ...


def principal_axes(moved: Array) -> tuple[Array, Array]:
    """Return the two orthonormal directions that hold most of some displacements.

    About their origin and not about their mean, so that the plane goes through it:
    every path begins there.

    Args:
        moved: Displacements, [point, inner], at least two numbers each.

    Raises:
        LandscapeError: Nothing has moved.

    Source: principal component analysis as in Li et al. 2018, section 7.2, who measure
    from the end of a path.
    """
    rows = np.asarray(moved, dtype=np.float64)
    rows = rows[np.any(rows != 0, axis=1)]
    if not len(rows):
        raise LandscapeError("nothing moves along these paths; choose other axes")
    if not np.isfinite(rows).all():
        raise LandscapeError(
            "a path is not finite from here; choose fewer inner steps or another outer "
            "step"
        )
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    first = _towards(directions[0], rows)
    if len(sizes) > 1 and sizes[1] > _PARALLEL * sizes[0]:
        return first, _towards(directions[1], rows)
    return first, _any_orthogonal(first)


def orthonormal(first: Array, second: Array) -> tuple[Array, Array]:
    """Return Gram-Schmidt's directions of two.

    Raises:
        LandscapeError: One is zero, or they are parallel.
    """
    u = np.asarray(first, dtype=np.float64)
    v = np.asarray(second, dtype=np.float64)
    lengths = np.linalg.norm(u), np.linalg.norm(v)
    if not np.isfinite(lengths).all() or min(lengths) == 0:
        raise LandscapeError(
            "a direction has no length here, or none that is finite; choose other axes"
        )
    u, v = u / lengths[0], v / lengths[1]
    # Twice: what rounding leaves of u in nearly parallel directions is taken out too.
    rest = v - (u @ v) * u
    rest = rest - (u @ rest) * u
    length = np.linalg.norm(rest)
    if length < _PARALLEL:
        raise LandscapeError(
            "the two directions are parallel; choose another task or other axes"
        )
    return u, rest / length


def filter_normalised(direction: Array, theta: Array, blocks: Sequence[Block]) -> Array:
    """Return a direction in which every neuron is as long as that neuron's weights.

    A neuron is what leads into one unit, its bias included. A network of rectified
    units may be rescaled from layer to layer without becoming another function; this
    makes pictures of two such networks alike.

    Args:
        direction: [inner].
        theta: Parameters, [inner].
        blocks: Where the arrays of both lie.

    Source: Li et al. 2018, section 4.
    """
    neurons = neuron_of_each(blocks)
    count = int(neurons.max(initial=-1)) + 1
    wanted = np.sqrt(np.bincount(neurons, theta**2, count))
    found = np.sqrt(np.bincount(neurons, direction**2, count))
    factors = np.divide(wanted, found, out=np.zeros(count), where=found > 0)
    return direction * factors[neurons]


def neuron_of_each(blocks: Sequence[Block]) -> NDArray[np.intp]:
    """Return which neuron each parameter leads into, numbered from 0, [inner]."""
    numbers: dict[tuple[int, int], int] = {}
    whose: list[int] = []
    for block in blocks:
        units = block.shape[-1]
        for index in range(block.size):
            key = (block.layer, index % units)
            whose.append(numbers.setdefault(key, len(numbers)))
    return np.array(whose, dtype=np.intp)


def explained(moved: Array, u: Array, v: Array) -> tuple[float, float]:
    """Return the shares of displacements' squared lengths that lie along u and v.

    Args:
        moved: [point, inner].
        u: Of length 1, [inner].
        v: The same, orthogonal to u.

    Returns:
        NaN for displacements that are all zero.
    """
    whole = float((moved**2).sum())
    if whole == 0:
        return np.nan, np.nan
    along_u, along_v = ((moved @ axis) ** 2 for axis in (u, v))
    return float(along_u.sum()) / whole, float(along_v.sum()) / whole


def square_around(points: Array, factor: float) -> tuple[tuple[float, float], float]:
    """Return corner and side of a square with room around some points.

    Args:
        points: [point, 2].
        factor: On its side.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    widest = float((high - low).max())
    # A path that leads nowhere in this plane still needs a square to be seen in.
    side = factor * _AIR * (widest if widest > 0 else 1.0)
    left, bottom = ((low + high - side) / 2).tolist()
    return (left, bottom), side


def _towards(direction: Array, rows: Array) -> Array:
    """Return a direction or its opposite, so that most of the displacements go along."""
    return -direction if (rows @ direction).sum() < 0 else direction


def _any_orthogonal(u: Array) -> Array:
    """Return a direction orthogonal to u: the coordinate it has least of, without u."""
    other = np.zeros_like(u)
    other[int(np.abs(u).argmin())] = 1.0
    return orthonormal(u, other)[1]
