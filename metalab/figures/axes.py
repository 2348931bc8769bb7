"""Calls that label and scale the axes of a drawing."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from metalab.engine.events import Array
from metalab.experiment.loss_words import LossWords
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import Call

_TICKS_IN_DECADE = (
    (1,),
    (1, 3),
    (1, 2, 5),
    (1, 2, 3, 4, 6, 8),
    (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
)
_FEWEST_TICKS = 4
_LEAST_LOG_RATIO = 2.0
"""Below this ratio of its ends a logarithmic axis is straight, and its ticks are odd."""


def labels(x: str, y: str) -> list[Call]:
    """Return the calls that name the axes."""
    return [
        Call(method="ax.set_xlabel", arguments=(x,)),
        Call(method="ax.set_ylabel", arguments=(y,)),
    ]


def whole_ticks(axis: str, *, of: str = "ax", nbins: int = 6) -> list[Call]:
    """Return the calls for ticks at whole numbers, such as 10,000.

    Args:
        axis: "x" or "y".
        of: Name of the axes (see `Drawing`).
        nbins: How many intervals at most.
    """
    return [
        Call(
            method=f"{of}.locator_params",
            options={"axis": axis, "integer": True, "nbins": nbins},
        ),
        Call(method=f"{of}.{axis}axis.set_major_formatter", arguments=("{x:,.0f}",)),
    ]


def for_losses(choices: FigureChoices, words: LossWords) -> FigureChoices:
    """Return the choices as losses can have them: below zero no logarithm is."""
    return choices if words.logarithmic else replace(choices, log_y=False)


_LEAST_LOSS = 1e-200
"""Below, an axis with its margin would begin at zero."""


def loss_axis(lines: Sequence[Array], choices: FigureChoices) -> list[Call]:
    """Return the calls for a loss axis: from 0, or logarithmic with plain numbers.

    With a loss below zero, the axis is what the drawing makes it.

    Args:
        lines: Losses that must be in view, each [row].
        choices: Says whether the axis is to be logarithmic.
    """
    values = np.concatenate(lines)
    if (values < 0).any():
        return []
    values = values[np.isfinite(values) & (values > _LEAST_LOSS)]
    if not choices.log_y or len(values) == 0:
        return [Call(method="ax.set_ylim", options={"bottom": 0})]
    low, high = float(values.min()), float(values.max())
    # In decades: the ratio itself may be larger than a number can be.
    first, last = math.log10(low), math.log10(high)
    if last - first < math.log10(_LEAST_LOG_RATIO):
        return []
    margin = 0.05 * (last - first)
    return log_axis(10 ** (first - margin), 10 ** (last + margin))


def log_axis(low: float, high: float) -> list[Call]:
    """Return the calls for a logarithmic vertical axis with plain numbers.

    Args:
        low: Its lower end, above 0.
        high: Its upper end.
    """
    calls = [
        Call(method="ax.set_yscale", arguments=("log",)),
        Call(method="ax.set_ylim", arguments=(low, high)),
    ]
    ticks = _log_ticks(low, high)
    if len(ticks) < _FEWEST_TICKS:
        return calls
    names = [f"{tick:g}" for tick in ticks]
    return [
        *calls,
        Call(method="ax.set_yticks", arguments=(ticks,), options={"labels": names}),
        Call(method="ax.yaxis.set_minor_formatter", arguments=("",)),
    ]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers within an axis: as few as tell its scale.

    Empty over many decades, where powers of ten are better.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in _TICKS_IN_DECADE:
        numbers = [float(f"{digit}e{decade}") for decade in decades for digit in digits]
        ticks = [number for number in numbers if low <= number <= high]
        if len(ticks) >= _FEWEST_TICKS:
            return [] if len(digits) == 1 else ticks
    return ticks
