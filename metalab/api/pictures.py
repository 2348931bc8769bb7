"""Figures of a run as matplotlib's objects, chosen by name as on the command line."""

import difflib
import io
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from metalab.engine.events import Array, frozen
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.looking import Looking, sight_of
from metalab.figures.registry import figure_named
from metalab.figures.render import draw
from metalab.figures.sights import Standpoint
from metalab.figures.sizes import styled_size
from metalab.runs.services.snapshots import history_and_phi

_CHOICES = {"log_y", "smoothing", "x", "legend", "sort"}
_LOOKING = {entry.name for entry in fields(Looking)}
_STYLE = {"size", "width", "font", "font_size", "line_width"}
_PLACE = {"task", "inner_step"}
_KNOWN = sorted(_CHOICES | _LOOKING | _STYLE | _PLACE)

_SHOWN_DPI = 150
"""Dots per inch of what a notebook shows: sharp, and as large as on paper."""


def picture(
    path: Path, which: int | str | None, name: str, choices: Mapping[str, Any]
) -> Figure:
    """Return a figure of a run.

    Args:
        path: The run file.
        which: The moment of the run, as `runs.services.snapshots.state_at` takes it.
        name: Of the figure.
        choices: As for `metalab.Run.figure`.

    Raises:
        FigureError: A name or a choice is not admissible, or the run holds nothing of the
            kind.
        TypeError: There is no such choice.
    """
    spec = figure_named(name)
    _check_known(choices)
    task = choices.get("task", 1)
    if task < 1:
        raise FigureError(f"task is {task}; allowed: 1 or more")
    chosen = _part(choices, _CHOICES)
    if "x" in chosen:
        chosen["x"] = str(chosen["x"]).replace("-", " ")
    looking = Looking(**_points(_part(choices, _LOOKING)))
    size = styled_size(
        choices.get("size", "single"), **_part(choices, _STYLE - {"size"})
    )
    drawn = FigureChoices(task=task - 1, **chosen)
    history, phi = history_and_phi(path, which)
    where = Standpoint(
        history=history,
        phi=phi,
        step=history.step,
        task=task - 1,
        inner_step=choices.get("inner_step"),
    )
    return shown(draw(spec, sight_of(spec, where, looking), size=size, choices=drawn))


def shown(figure: Figure) -> Figure:
    """Return a figure that a notebook shows, whether or not pyplot was imported there."""

    def png() -> bytes:
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=_SHOWN_DPI)
        return content.getvalue()

    # IPython asks the object for its own picture where no backend has said otherwise.
    vars(figure)["_repr_png_"] = png
    return figure


def _check_known(choices: Mapping[str, Any]) -> None:
    for name in choices:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise TypeError(f"{name!r} is no choice of a figure{hint}")


def _part(choices: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in choices.items() if name in names}


def _points(looking: dict[str, Any]) -> dict[str, Any]:
    """Return choices of what is looked at with support points as arrays."""
    given = looking.get("points")
    if given is None:
        return looking
    try:
        x, y = (_array(part) for part in given)
    except (TypeError, ValueError) as error:
        raise FigureError("points is not two rows of numbers, x and y") from error
    if x.ndim != 1 or x.shape != y.shape or len(x) == 0:
        raise FigureError(
            f"points are {list(x.shape)} x and {list(y.shape)} y; allowed: as many of each"
        )
    return {**looking, "points": (x, y)}


def _array(part: Any) -> Array:
    return frozen(np.array(part, dtype=np.float64))
