"""Landscapes beside a run, from coarse to fine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metalab.analysis.landscape_request import (
    Landscape,
    LandscapeGrid,
    LandscapeRequest,
)
from metalab.engine.events import Array, frozen
from metalab.runs.services.service import LatestRequestService, Notify, Stale, Work

if TYPE_CHECKING:
    from metalab.analysis.landscape import LandscapeSampler

LEVELS = (11, 21, 41, 61)
"""Points a side, one after the other. All of them lie on one lattice."""

_LATTICE = 120
"""Steps a side of that lattice: every level's number of steps divides it."""

_BATCH_SECONDS = 0.012
"""How long a batch of points takes: as long does a request wait that replaces another."""

_FIRST_BATCH = 16
_MOST_KEPT = 4

Losses = Callable[[Array], Array]
"""Losses at points of a plane, [point, 2] to [point]."""

Tell = Callable[[Array, float], None]
"""Takes a grid so far, [row, column], and the share of the work that is done."""


def levels_to(resolution: int) -> tuple[int, ...]:
    """Return the levels that lead to a resolution.

    Raises:
        ValueError: It is none of `LEVELS`.
    """
    if resolution not in LEVELS:
        raise ValueError(f"resolution is {resolution}; it must be one of {LEVELS}")
    return tuple(level for level in LEVELS if level <= resolution)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """What is known on the lattice: losses, and where, [row, column] each."""

    losses: Array
    known: NDArray[np.bool_]

    @classmethod
    def empty(cls) -> "_Grid":
        shape = (_LATTICE + 1, _LATTICE + 1)
        return cls(losses=np.full(shape, np.nan), known=np.zeros(shape, dtype=bool))

    def level(self, per_side: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return views of the points of a level: losses, and whether they are known."""
        stride = _LATTICE // (per_side - 1)
        return self.losses[::stride, ::stride], self.known[::stride, ::stride]


def fill(
    plane: LandscapeGrid,
    losses: Losses,
    *,
    resolution: int,
    most: int,
    tell: Tell,
    stale: Stale,
) -> Array | None:
    """Compute losses over a plane from coarse to fine, each point once.

    Args:
        plane: Where.
        losses: Of points.
        resolution: Points a side in the end, one of `LEVELS`.
        most: Points that `losses` takes at once.
        tell: Hears of every batch.
        stale: Whether to give up.

    Returns:
        The finished grid, [row, column]; None if it was given up.
    """
    grid = _Grid.empty()
    levels = levels_to(resolution)
    total = _num_points(levels)
    count, picture = min(_FIRST_BATCH, most), np.empty((0, 0))
    for level in levels:
        values, known = grid.level(level)
        x, y = plane.coordinates(level)
        picture = _finer(picture, level)
        picture[known] = values[known]
        missing = np.argwhere(~known)
        start = 0
        while start < len(missing):
            if stale():
                return None
            rows, columns = missing[start : start + count].T
            begun = time.perf_counter()
            found = losses(np.stack([x[columns], y[rows]], axis=1))
            seconds = time.perf_counter() - begun
            values[rows, columns] = picture[rows, columns] = found
            known[rows, columns] = True
            start += len(rows)
            tell(picture, min(int(grid.known.sum()) / total, 1.0))
            count = _next_count(count, seconds, most)
    return picture


def _num_points(levels: tuple[int, ...]) -> int:
    """Return how many points of the lattice levels have together."""
    grid = _Grid.empty()
    for level in levels:
        grid.level(level)[1][...] = True
    return int(grid.known.sum())


def _next_count(count: int, seconds: float, most: int) -> int:
    """Return how many points take about as long as a batch shall."""
    wanted = count * _BATCH_SECONDS / max(seconds, 1e-6)
    # At most twice as many: the first call of all may be slow for other reasons.
    return int(min(max(wanted, 1), 2 * count, most))


def _finer(picture: Array, per_side: int) -> Array:
    """Return a grid at another number of points a side, interpolated; NaN from none."""
    if not len(picture):
        return np.full((per_side, per_side), np.nan)
    old = np.linspace(0.0, 1.0, len(picture))
    new = np.linspace(0.0, 1.0, per_side)
    across = np.stack([np.interp(new, old, row) for row in picture])
    return np.stack([np.interp(new, old, column) for column in across.T], axis=1)


def survey(asked: LandscapeRequest, tell: Callable[[float], None]) -> Landscape:
    """Return a finished landscape.

    Args:
        asked: Which.
        tell: Hears of the share that is done; may raise to give up.

    Raises:
        LandscapeError: The surface or the axes have no meaning for this method.
    """

    def hear(known: Landscape) -> None:
        tell(known.share)

    found = _Surveying()(asked, Work(stale=lambda: False, tell=hear))
    assert found is not None, "nobody gives up"
    return found


class LandscapeService(LatestRequestService[LandscapeRequest, Landscape, Landscape]):
    """Answers the newest question; `progress` is its grid so far."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_Surveying(), name="landscape", notify=notify)


class _Surveying:
    """Keeps the methods that were asked for last, ready to be sliced."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: dict[object, tuple[object, LandscapeSampler]] = {}

    def __call__(
        self, asked: LandscapeRequest, work: Work[Landscape]
    ) -> Landscape | None:
        """Answer a question, telling of every batch."""
        surveyor = self._surveyor(asked)
        if work.stale():
            return None
        plane = surveyor.plane(asked)
        averaged = surveyor.num_averaged if asked.surface == "adapted" else 1
        newest: Landscape | None = None

        def tell(losses: Array, share: float) -> None:
            nonlocal newest
            newest = Landscape(
                asked=asked,
                plane=plane,
                losses=frozen(losses.copy()),
                share=share,
                num_averaged=averaged,
            )
            work.tell(newest)

        def losses(points: Array) -> Array:
            return surveyor.losses(asked, plane, points)

        done = fill(
            plane,
            losses,
            resolution=asked.resolution,
            most=surveyor.points_at_once(asked.surface),
            tell=tell,
            stale=work.stale,
        )
        return None if done is None else newest

    def _surveyor(self, asked: LandscapeRequest) -> "LandscapeSampler":
        # Imported here: the window makes the service before torch is there.
        from metalab.analysis.landscape import LandscapeSampler  # noqa: PLC0415

        key = id(asked.config)
        kept = self._kept.get(key)
        if kept is None:
            surveyor = LandscapeSampler(asked.config)
            # The configuration is kept too: its id must not become another's.
            kept = (asked.config, surveyor)
            while len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = kept
        return kept[1]
