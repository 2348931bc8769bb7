"""A curve through points that a person draws or pastes."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.interval import (
    largest,
    noise_option,
    ranges_of,
    refuse_empty_ranges,
    smallest,
    uniform,
    uniform_columns,
)
from metalab.core.spec import option
from metalab.core.tasks import TaskFamily

MAX_CHARACTERS = 20_000
MAX_POINTS = 200
LARGEST = 10_000.0
CLOSEST = 1e-4
"""Least distance of neighbours in x, in units of the largest |x|: float32 must tell them
apart with digits to spare."""

Point = tuple[float, float]


@lru_cache(maxsize=64)
def read_points(text: str) -> tuple[Point, ...]:
    """Return the points of a text, in order of their x.

    Args:
        text: Pairs such as "-4, 0.3; -2, 1.1", with a semicolon or a new line between
            points and a comma or space between x and y.

    Raises:
        ValueError: Text that is not points, fewer than two of them or too many, numbers
            that are too large, or two points with the same or almost the same x.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"points has {len(text):,} characters; allowed: at most {MAX_CHARACTERS:,}"
        )
    entries = [entry for entry in text.replace("\n", ";").split(";") if entry.strip()]
    if not 2 <= len(entries) <= MAX_POINTS:
        raise ValueError(
            f"points has {len(entries)} of them; allowed: 2 to {MAX_POINTS}, written "
            "x, y with semicolons between"
        )
    points = sorted(_point(entry, n) for n, entry in enumerate(entries, start=1))
    span = CLOSEST * max(abs(points[0][0]), abs(points[-1][0]))
    for (left, _), (right, _) in pairwise(points):
        if right - left <= span:
            raise ValueError(
                f"points has x = {left:g} and x = {right:g}; no two may be the same or "
                "almost the same"
            )
    return tuple(points)


def _point(entry: str, number: int) -> Point:
    try:
        x, y = map(float, entry.replace(",", " ").split())
    except ValueError:
        raise ValueError(
            f"points: entry {number} is {entry.strip()[:40]!r}; allowed: two numbers, "
            "x, y"
        ) from None
    if not (abs(x) <= LARGEST and abs(y) <= LARGEST):
        raise ValueError(
            f"points: entry {number} is {entry.strip()[:40]!r}; allowed: numbers up to "
            f"{LARGEST:,.0f} in size"
        )
    return (x, y)


def monotone_slopes(points: tuple[Point, ...]) -> tuple[float, ...]:
    """Return the slopes at the points that make a cubic interpolation monotone.

    Between two points the curve then never leaves the rectangle they span. Inside, the
    slope is 0 at a turning point, else the weighted harmonic mean of the slopes of the
    two secants; at the ends, that of the only secant.

    Source: Fritsch and Butland 1984; inner slopes as in scipy's `PchipInterpolator`.
    """
    widths = [b[0] - a[0] for a, b in pairwise(points)]
    secants = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    slopes = [secants[0]]
    for i, (left, right) in enumerate(pairwise(secants)):
        turning = left * right <= 0
        first, second = 2 * widths[i + 1] + widths[i], widths[i + 1] + 2 * widths[i]
        slopes.append(
            0.0
            if turning
            else (first + second) / (first / left + second / right)
        )
    return (*slopes, secants[-1])


@lru_cache(maxsize=64)
def segments(text: str, *, smooth: bool) -> tuple[tuple[float, ...], ...]:
    """Return start, width, rise, first and last slope (in rises) of each piece."""
    points = read_points(text)
    slopes = monotone_slopes(points)
    pieces: list[tuple[float, ...]] = []
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        width, rise = x1 - x0, y1 - y0
        ends = (width * slopes[i], width * slopes[i + 1]) if smooth else (rise, rise)
        pieces.append((x0, width, rise, *ends))
    return tuple(pieces)
