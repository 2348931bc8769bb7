"""Calls for the legend and the title of a drawing."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from metalab.figures.base import FigureChoices
from metalab.figures.drawing import Call
from metalab.figures.sizes import LEGEND_COLUMN_EMS, FigureSize

_LEAST_ROOM = 0.3
"""Of the width, for axes beside a legend."""

_NARROW_LETTERS = " ijlt,.fI|'-r()"
_NARROW_EMS, _LETTER_EMS = 0.34, 0.64
"""Widths in the font of the figures."""


def legend_place(
    names: Sequence[str], choices: FigureChoices, size: FigureSize, *, room: float
) -> str:
    """Return where a legend stands: as chosen, but above where there is no room beside.

    Args:
        names: What it says.
        choices: Say where it is wanted.
        size: Of the figure.
        room: Least share of the width that has to be left for the axes.
    """
    widest = max((text_ems(name) for name in names), default=0.0)
    taken = (widest + LEGEND_COLUMN_EMS) * size.small_text / size.points
    beside = choices.legend == "right"
    return "above" if beside and taken > 1 - room else choices.legend


def legend_lines(names: Sequence[str], size: FigureSize) -> int:
    """Return how many lines a legend above the axes takes."""
    return -(-len(names) // _legend_columns(names, size)) if names else 0


def with_legend(
    calls: Sequence[Call],
    choices: FigureChoices,
    size: FigureSize,
    *,
    title: str,
    room: float = _LEAST_ROOM,
) -> tuple[Call, ...]:
    """Return the calls, and those for a legend of their labels and for the title.

    Args:
        calls: What is drawn.
        choices: Say where the legend stands.
        size: Says whether the figure carries its title.
        title: Plain text: a dollar sign in an experiment's name starts no formula.
        room: See `legend_place`.
    """
    plain = shortened(title, size.points / size.title_text - 2).replace("$", r"\$")
    names = [call.options["label"] for call in calls if "label" in call.options]
    place = legend_place(names, choices, size, room=room)
    if place == "above" and names:
        return (*calls, _legend_above(calls, plain, size))
    added: list[Call] = []
    if place == "right":
        beside = {"loc": "outside center right"}
        added.append(Call(method="fig.legend", options=beside))
    if size.titled:
        head = {"x": 0.01, "ha": "left", "fontsize": size.title_text}
        added.append(Call(method="fig.suptitle", arguments=(plain,), options=head))
    return (*calls, *added)


def _legend_above(calls: Sequence[Call], title: str, size: FigureSize) -> Call:
    names = [call.options["label"] for call in calls if "label" in call.options]
    options: dict[str, Any] = {"ncols": _legend_columns(names, size)}
    if size.titled:
        # In the legend: matplotlib would lay a title of the figure over it.
        options |= {"loc": "outside upper left", "alignment": "left"}
        options |= {"title": title, "title_fontsize": size.title_text}
    else:
        options["loc"] = "outside upper center"
    return Call(method="fig.legend", options=options)


def _legend_columns(names: Sequence[str], size: FigureSize) -> int:
    """Return how many columns fit above the axes, in as few rows as they can."""
    room = size.points / size.small_text
    widths = np.array([text_ems(name) for name in names])
    for columns in range(len(names), 1, -1):
        parts = np.array_split(widths, columns)
        text = sum(float(part.max()) for part in parts)
        if text + LEGEND_COLUMN_EMS * columns < room:
            rows = math.ceil(len(names) / columns)
            return math.ceil(len(names) / rows)
    return 1


def shortened(text: str, ems: float) -> str:
    """Return as much of a text as fits, with an ellipsis if that is not all."""
    if text_ems(text) <= ems:
        return text
    while text_ems(text) + 1 > ems:
        text = text[:-1]
    return f"{text.rstrip()}…"


def text_ems(text: str) -> float:
    """Return about how wide a text is, in heights of its letters."""
    return sum(
        _NARROW_EMS if letter in _NARROW_LETTERS else _LETTER_EMS for letter in text
    )
