"""Lines of equal loss."""

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array


def contours(x: Array, y: Array, values: Array, levels: Array) -> tuple[Array, Array]:
    """Return the lines on which a function has some values.

    Every cell of the grid is cut into four triangles that meet in its middle; within a
    triangle the function is taken as linear.

    Args:
        x: Of the columns, ascending, [column].
        y: Of the rows, ascending, [row].
        values: Of the function, [row, column]; no line goes where one is not finite.
        levels: Of the lines, [level].

    Returns:
        Points of straight pieces, [3 * piece] each: two ends, and a NaN in y as a gap.
    """
    corners, heights = _triangles(x, y, values)
    pieces = [_pieces(corners, heights, float(level)) for level in levels]
    ends = np.concatenate([np.empty((0, 2, 2)), *pieces])
    gaps = np.stack([ends[:, 1, 0], np.full(len(ends), np.nan)], axis=1)
    points = np.concatenate([ends, gaps[:, None]], axis=1).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _triangles(x: Array, y: Array, values: Array) -> tuple[Array, Array]:
    """Return corners [triangle, 3, 2] and values there [triangle, 3], lowest first."""
    places = np.stack(np.meshgrid(x, y), axis=2)
    grid = np.concatenate([places, values[..., None]], axis=2)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    middle = (a + b + c + d) / 4
    sides = ((a, b), (b, c), (c, d), (d, a))
    triangles = np.concatenate(
        [np.stack([one, two, middle], axis=2).reshape(-1, 3, 3) for one, two in sides]
    )
    triangles = triangles[np.isfinite(triangles[..., 2]).all(axis=1)]
    order = np.argsort(triangles[..., 2], axis=1)
    triangles = np.take_along_axis(triangles, order[..., None], axis=1)
    return triangles[..., :2], triangles[..., 2]


def _pieces(corners: Array, heights: Array, level: float) -> Array:
    """Return the straight pieces of one level, [piece, end, 2]."""
    cut = (heights[:, 0] <= level) & (level < heights[:, 2])
    corners, heights = corners[cut], heights[cut]
    # The line always leaves through the longest rise, and through one of the others.
    upper = heights[:, 1] <= level
    start = np.where(upper, 1, 0)
    end = np.where(upper, 2, 1)
    first = np.zeros(len(corners), dtype=np.intp)
    return np.stack(
        [
            _crossing(corners, heights, first, first + 2, level),
            _crossing(corners, heights, start, end, level),
        ],
        axis=1,
    )


def _crossing(
    corners: Array,
    heights: Array,
    start: NDArray[np.intp],
    end: NDArray[np.intp],
    level: float,
) -> Array:
    """Return where each triangle's edge from `start` to `end` has a height, [piece, 2]."""
    each = np.arange(len(corners))
    low, high = heights[each, start], heights[each, end]
    rise = high - low
    share = np.divide(level - low, rise, out=np.zeros_like(rise), where=rise > 0)
    return corners[each, start] + share[:, None] * (
        corners[each, end] - corners[each, start]
    )
