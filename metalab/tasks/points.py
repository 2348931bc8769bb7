"""A curve through points that a person draws or pastes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core import written_points
from metalab.core.spec import option
from metalab.core.tasks import TaskFamily
from metalab.core.written_points import Point
from metalab.tasks.one_dimensional import (
    largest,
    noise_option,
    ranges_of,
    refuse_empty_ranges,
    smallest,
    uniform,
    uniform_columns,
)

MAX_CHARACTERS = 20_000
MAX_POINTS = 200
LARGEST = 10_000.0
CLOSEST = 1e-4
"""Least distance of neighbours in x, in units of the largest |x|: float32 must tell them
apart with digits to spare."""


@lru_cache(maxsize=64)
def read_points(text: str) -> tuple[Point, ...]:
    """Return the points of a text, in order of their x.

    Args:
        text: Pairs such as "-4, 0.3; -2, 1.1" (see `core.written_points`). A text that
            can be read in two ways has decimal points: run files hold such.

    Raises:
        ValueError: Text that is not points, fewer than two of them or too many, numbers
            that are too large, or two points with the same or almost the same x.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"points has {len(text):,} characters; allowed: at most {MAX_CHARACTERS:,}"
        )
    points: list[Point] = []
    if text.strip("; \t\n"):
        try:
            written = written_points.read_points(text, largest=LARGEST, stored=True)
        except ValueError as error:
            raise ValueError(f"points: {error}") from None
        points = sorted(written.points)
    if not 2 <= len(points) <= MAX_POINTS:
        raise ValueError(
            f"points has {len(points)} of them; allowed: 2 to {MAX_POINTS}, written "
            "x, y with semicolons between"
        )
    span = CLOSEST * max(abs(points[0][0]), abs(points[-1][0]))
    for (left, _), (right, _) in pairwise(points):
        if right - left <= span:
            raise ValueError(
                f"points has x = {left:g} and x = {right:g}; no two may be the same or "
                "almost the same"
            )
    return tuple(points)


def points_in_words(text: str) -> str:
    """Return how a text was understood, for whoever has typed it.

    Raises:
        ValueError: It can be read in two ways, or is not points; without a name.
    """
    found = written_points.read_points(text, largest=LARGEST)
    return f"{found.words}; {written_points.range_words(found.points)}"


def _smooth(points: tuple[Point, ...]) -> list[Point]:
    """Return the slopes at both ends of each piece of a monotone cubic interpolation.

    Between two points the curve never leaves the rectangle they span. Inside, the slope
    at a point is 0 where the curve turns, else the weighted harmonic mean of the slopes
    of the two secants; at the first and last point, that of the only secant.

    Source: Fritsch and Butland 1984, with the weights of scipy's `PchipInterpolator`.
    """
    widths = [right[0] - left[0] for left, right in pairwise(points)]
    secants = _secants(points)
    slopes = [secants[0]]
    for (h, next_h), (d, next_d) in zip(
        pairwise(widths), pairwise(secants), strict=True
    ):
        weight, next_weight = 2 * next_h + h, next_h + 2 * h
        total = weight + next_weight
        slopes.append(
            total / (weight / d + next_weight / next_d) if d * next_d > 0 else 0.0
        )
    return list(pairwise([*slopes, secants[-1]]))


def _straight(points: tuple[Point, ...]) -> list[Point]:
    """Return the slopes at both ends of each piece of a polygon."""
    return [(secant, secant) for secant in _secants(points)]


def _secants(points: tuple[Point, ...]) -> list[float]:
    return [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]


INTERPOLATIONS: Mapping[str, Callable[[tuple[Point, ...]], list[Point]]] = (
    MappingProxyType({"smooth": _smooth, "straight": _straight})
)
"""Slopes at both ends of each piece of the curve."""


@lru_cache(maxsize=64)
def pieces(text: str, interpolation: str) -> tuple[tuple[float, ...], ...]:
    """Return start, width, rise, and the slopes at both ends, of each piece.

    Raises:
        ValueError: See `read_points`.
    """
    points = read_points(text)
    slopes = INTERPOLATIONS[interpolation](points)
    return tuple(
        (x0, x1 - x0, y1 - y0, *ends)
        for ((x0, y0), (x1, y1)), ends in zip(pairwise(points), slopes, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Points(TaskFamily):
    """y = scale * f(x - shift) + noise, where f goes through given points.

    Between the points, f is a monotone cubic or a straight line; beyond them it stays at
    the value of the nearest. Scale and shift are uniform in their ranges, x is uniform
    between the first and the last point.
    """

    name: ClassVar[str] = "points"
    title: ClassVar[str] = "Drawn or pasted points"

    points: str = option(
        "-5, 0; -3, 2; -1, 1.5; 0, -1; 2, -2; 3, 0.5; 5, 1",
        label="Points",
        help="Points of the curve: x, y; x, y; and so on.",
        max_length=MAX_CHARACTERS,
        reading=points_in_words,
    )
    interpolation: str = option(
        "smooth",
        label="Between points",
        help="Smooth: cubic without overshoot; straight: lines.",
        choices=tuple(INTERPOLATIONS),
    )
    scale_min: float = smallest("scale", 0.5, low=-100.0, high=100.0)
    scale_max: float = largest("scale", 1.5, low=-100.0, high=100.0)
    shift_min: float = smallest("shift", -1.0, unit="x", low=-100.0, high=100.0)
    shift_max: float = largest("shift", 1.0, unit="x", low=-100.0, high=100.0)
    noise_std: float = noise_option()

    def __post_init__(self) -> None:
        """Refuse empty ranges, and text that is not points.

        Raises:
            ValueError: A range whose end lies below its start; see `read_points`.
        """
        refuse_empty_ranges(self)
        read_points(self.points)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Scale and shift."""
        return ("scale", "shift")

    @property
    def input_range(self) -> tuple[float, float]:
        """From the first point to the last."""
        points = read_points(self.points)
        return (points[0][0], points[-1][0])

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of y."""
        return self.noise_std

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw scale and shift of each task."""
        ranges = ranges_of(self, *self.parameter_names)
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs uniformly between the first and the last point."""
        low, high = self.input_range
        shape = (num_tasks, num_samples, 1)
        return uniform(shape, generator=generator, dtype=dtype, low=low, high=high)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return scale * f(x - shift)."""
        scale, shift = parameters[:, :, None, None].unbind(dim=1)
        table = x.new_tensor(pieces(self.points, self.interpolation))
        start, width, rise, slope, end_slope = table.unbind(dim=1)
        # Each piece counts from 0 at its start to its rise at its end and stays there, so
        # the curve is their sum and no search for the right piece is needed.
        t = ((x - shift - start) / width).clamp(0, 1)
        climbed = rise * t**2 * (3 - 2 * t) + width * t * (1 - t) * (
            slope * (1 - t) - end_slope * t
        )
        first = read_points(self.points)[0][1]
        return scale * (first + climbed.sum(dim=2, keepdim=True))
