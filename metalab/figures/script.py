"""A short program that redraws a figure from its CSV file, for editing by hand."""

from collections.abc import Mapping
from typing import Any

from metalab.figures.drawing import Call, Drawing
from metalab.figures.paint import KEY_WIDTHS
from metalab.figures.sizes import FigureSize

_HEAD = '''"""Redraw {title!r} from the CSV file of the same name beside this script.

{caption}
{origin}

Needs matplotlib. Run: python {stem}.py [OUTPUT.pdf]
"""

import csv
import sys
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

HERE = Path(__file__)
OUTPUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.with_suffix(".pdf")

with HERE.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


def column(*names, **where):
    """Return columns, in the rows that match and have a value in all of them."""
    rows = [
        row
        for row in ROWS
        if all(row[key] == str(value) for key, value in where.items())
        and all(row[name] for name in names)
    ]
    return [[float(row[name]) for row in rows] for name in names]

'''


def script(
    drawing: Drawing, size: FigureSize, *, title: str, origin: str, stem: str
) -> str:
    """Return the program.

    Args:
        drawing: The figure.
        size: Its size.
        title: Its title.
        origin: One line on where the data come from.
        stem: Name of the script and of its CSV file, without suffix.
    """
    head = _HEAD.format(title=title, caption=drawing.caption, origin=origin, stem=stem)
    return head + "\n".join(
        [
            "",
            f"matplotlib.rcParams.update({_mapping(size.style())})",
            "",
            f"fig = Figure(figsize={size.inches!r}, layout='constrained')",
            _axes(drawing),
            *(_statement(call, drawing) for call in drawing.calls),
            "fig.savefig(OUTPUT, dpi=300)",
            "",
        ]
    )


def _axes(drawing: Drawing) -> str:
    if drawing.keyed:
        return f"ax, key = fig.subplots(1, 2, width_ratios={KEY_WIDTHS!r})"
    return "ax = fig.subplots()"


def _mapping(values: Mapping[str, Any]) -> str:
    lines = [f"    {key!r}: {value!r}," for key, value in values.items()]
    return "\n".join(["{", *lines, "}"])


def _statement(call: Call, drawing: Drawing) -> str:
    arguments = [repr(argument) for argument in call.arguments]
    if call.columns:
        headers = [repr(drawing.table.column(name).header) for name in call.columns]
        chosen = [f"{key}={value!r}" for key, value in call.where.items()]
        arguments.insert(0, f"*column({', '.join([*headers, *chosen])})")
    arguments += [f"{key}={value!r}" for key, value in call.options.items()]
    line = f"{call.method}({', '.join(arguments)})"
    if len(line) <= 88:
        return line
    return "\n".join([f"{call.method}(", *(f"    {a}," for a in arguments), ")"])
