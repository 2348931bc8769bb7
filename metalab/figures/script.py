"""A short program that redraws a figure from its CSV file, for editing by hand."""

import textwrap
from collections.abc import Mapping
from typing import Any

from metalab.figures.drawing import Call, Drawing
from metalab.figures.sizes import FigureSize

_LINE = 88

_HEAD = '''"""{about}

Draws the data of the CSV file that has the same name as this script and lies beside it.
Needs matplotlib. Arguments: [OUTPUT], a .pdf, .svg or .png file.
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


def script(drawing: Drawing, size: FigureSize, *, title: str, origin: str) -> str:
    """Return the program.

    Args:
        drawing: The figure.
        size: Its size.
        title: Its title.
        origin: One line on where the data come from.
    """
    # The name of an experiment may hold quotes, which would end the docstring.
    about = [f"{title}.", "", drawing.caption, "", f"From {origin}."]
    lines = [textwrap.fill(line.replace('"', "'"), _LINE) for line in about]
    return _HEAD.format(about="\n".join(lines)) + "\n".join(
        [
            "",
            "matplotlib.rcdefaults()",
            f"matplotlib.rcParams.update({_mapping(size.style())})",
            "",
            f"fig = Figure(figsize={size.inches!r}, layout={drawing.layout!r})",
            _axes(drawing, size),
            *(_statement(call, drawing) for call in drawing.calls),
            "fig.savefig(OUTPUT, dpi=300)",
            "",
        ]
    )


def _axes(drawing: Drawing, size: FigureSize) -> str:
    if drawing.panels:
        rows, columns = drawing.grid(size)
        names = ", ".join(f"ax{i}" for i in range(1, rows * columns + 1))
        options = ", ".join(f"{k}={v!r}" for k, v in drawing.grid_options().items())
        grid = f"fig.subplots({rows}, {columns}, {options})"
        return f"{names}, = {grid}.flat"
    if drawing.keyed:
        return f"ax, key = fig.subplots(1, 2, width_ratios={size.key_widths!r})"
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
    if len(line) <= _LINE:
        return line
    return "\n".join([f"{call.method}(", *(f"    {a}," for a in arguments), ")"])
