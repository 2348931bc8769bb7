"""Words on how much of a landscape's paths lies in its plane, in the window and on paper."""

import math

from metalab.analysis.landscape_request import Landscape


def explained_words(landscape: Landscape) -> str:
    """Return how much of the paths lies in the plane."""
    plane = landscape.plane
    first, second = plane.explained
    if landscape.asked.surface == "adapted" and math.isfinite(plane.outer_explained):
        return (
            f"explained variance: inner paths {_percent(first + second)}, outer path "
            f"{_percent(plane.outer_explained)}"
        )
    return (
        f"explained variance of the inner paths: u {_percent(first)}, v "
        f"{_percent(second)}"
    )


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "–"
    percent = 100 * min(share, 1.0)
    # "100 %" only where it is all.
    if 99.95 <= percent < 99.9995:
        return ">99.9 %"
    return f"{percent:.3g} %" if percent < 99.95 else "100 %"
