"""Options that the commands which draw share: how a figure looks."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from metalab.cli.output import warn

if TYPE_CHECKING:
    from metalab.figures.base import FigureChoices, FigureSpec
    from metalab.figures.sights import Sight
    from metalab.figures.sizes import FigureSize


def millimetres(text: str) -> float:
    """Return a width in mm, written with or without the unit.

    Raises:
        BadParameter: It is no such number.
    """
    try:
        found = float(text.removesuffix("mm"))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise typer.BadParameter(
            f"{text!r}; allowed: a number of mm, such as 89 or 89mm"
        )
    return found


Size = Annotated[
    str, typer.Option(help="Size preset: single, double, slide or square.")
]
Width = Annotated[
    float | None,
    typer.Option(
        parser=millimetres,
        metavar="MM",
        help="Width in mm; the height keeps the preset's proportion.",
    ),
]
Font = Annotated[
    str, typer.Option(help="Font family of all text; it must be installed.")
]
FontSize = Annotated[
    float | None,
    typer.Option(help="Size of axis labels in points; other text in proportion."),
]
LineWidth = Annotated[
    float | None, typer.Option(help="Width of an ordinary line in points.")
]


def warn_of_small_text(
    spec: "FigureSpec", sight: "Sight", *, size: "FigureSize", choices: "FigureChoices"
) -> None:
    """Say on stderr that text of a figure is too small to be read on paper, if it is."""
    from metalab.figures.legible import small_text  # noqa: PLC0415 - slow

    found = small_text(spec, sight, size=size, choices=choices)
    if found is not None:
        warn(found.words)
