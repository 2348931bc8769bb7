"""Figures of studies: curves of several methods, and ours beside the paper's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metalab.experiment.changes import difference_note
from metalab.figures.axes import labels, loss_axis
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    Call,
    Drawing,
)
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.studies.base import Study, StudyError, StudyFigure, StudyLine
from metalab.studies.series import Key, Results, ours_at

_PURPLE, _SKY, _ORANGE = "#cc79a7", "#56b4e9", "#e69f00"
"""The rest of Okabe and Ito's colours, for figures of many series."""

LOOKS = (
    (BLUE, "o", "-"),
    (VERMILION, "s", "--"),
    (GREEN, "^", "-."),
    (GREY, "D", ":"),
    (_PURPLE, "v", "-"),
    (_SKY, "P", "--"),
    (_ORANGE, "X", "-."),
    (BLACK, "<", ":"),
)
_MOST_MARKERS = 12
_DIGITS = (1, 2, 5)
_APART = 0.28
"""Distance of the paper's number from ours, in rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """How the axes of a figure are named.

    Attributes:
        x: Label of the x axis.
        y: Label of the y axis.
        log_x: Whether the x axis is logarithmic.
    """

    x: str
    y: str
    log_x: bool = False


def curves(
    name: str, title: str, series: Sequence[tuple[Key, str]], axes: Axes
) -> StudyFigure:
    """Return the figure of some series with their 95 % intervals.

    Args:
        name: Of its files.
        title: One line.
        series: Method and protocol of each, and its label.
        axes: What the axes are.
    """

    def draw(study: Study, results: Results, size: FigureSize) -> Drawing:
        shown = [(key, label) for key, label in series if key in results]
        if not shown:
            raise StudyError(f"figure {name!r} of {study.name} has nothing to show yet")
        table = _series_table(study, results, shown)
        calls: list[Call] = []
        for (_, label), look in zip(shown, LOOKS, strict=False):
            calls += band_curve(table, label, look, size)
        calls += _published(table, [label for _, label in shown], size)
        if axes.log_x:
            calls.append(Call(method="ax.set_xscale", arguments=("log",)))
        choices = FigureChoices(legend="right")
        calls += [
            *labels(axes.x, axes.y),
            *loss_axis([table.numbers("mean")], choices),
        ]
        return Drawing(
            table=table,
            caption=_caption(study, title, results),
            calls=with_legend(calls, choices, size, title=title),
        )

    return StudyFigure(name=name, title=title, draw=draw)


def _series_table(
    study: Study, results: Results, shown: Sequence[tuple[Key, str]]
) -> Table:
    rows: list[tuple[str, tuple[float, ...]]] = []
    for key, label in shown:
        series = results[key]
        for at, x in zip(series.points.tolist(), series.x.tolist(), strict=True):
            ours = ours_at(series, at)
            paper = _middle(study.lines, key, at)
            beside = (ours.iqm, ours.median, ours.num_exploded)
            numbers = (x, at, ours.mean, ours.low, ours.high, *paper, *beside)
            rows.append((label, numbers))
    names = (
        *("x", "point", "mean", "low", "high", "published", "published_half_width"),
        *("iqm", "median", "num_exploded"),
    )
    numbers = np.array([values for _, values in rows])
    words = Column("series", np.array([label for label, _ in rows]))
    return Table(
        (words, *(Column(n, numbers[:, i]) for i, n in enumerate(names))),
    )


def _middle(lines: Sequence[StudyLine], key: Key, at: float) -> tuple[float, float]:
    """Return middle and half width of the published number there; NaN for none."""
    for line in lines:
        if line.key == key and line.at == at and line.published is not None:
            return _spot(line)
    return np.nan, np.nan


def _spot(line: StudyLine) -> tuple[float, float]:
    """Return middle and half width of a line's published number; NaN for none."""
    paper = line.published
    if paper is None:
        return np.nan, np.nan
    half = paper.half_width or (paper.high - paper.low) / 2
    return (paper.low + paper.high) / 2, half


def band_curve(
    table: Table, label: str, look: tuple[str, str, str], size: FigureSize
) -> list[Call]:
    """Return the calls for a line with its 95 % band, of the rows of one series."""
    colour, marker, line = look
    count = int((table.column("series").values == label).sum())
    return [
        Call(
            method="ax.fill_between",
            columns=("x", "low", "high"),
            where={"series": label},
            options={"color": colour, "alpha": 0.18, "linewidth": 0, "zorder": 2},
        ),
        Call(
            method="ax.plot",
            columns=("x", "mean"),
            where={"series": label},
            options={
                "color": colour,
                "marker": marker,
                "markevery": 1 + count // _MOST_MARKERS,
                "linestyle": line,
                "linewidth": 1.2 * size.line,
                "label": label,
                "zorder": 4,
            },
        ),
    ]


def _published(table: Table, shown: Sequence[str], size: FigureSize) -> list[Call]:
    """Return the paper's numbers as bars, in the colours of our curves."""
    calls: list[Call] = []
    for label, (colour, _, _) in zip(shown, LOOKS, strict=False):
        where = {"series": label}
        if len(table.select(("published",), where)[0]) == 0:
            continue
        options: dict[str, Any] = {
            "linestyle": "none",
            "marker": "_",
            "color": colour,
            "elinewidth": 2 * size.line,
            "capsize": 2.5 * size.line,
            "zorder": 5,
        }
        if not calls:
            options["label"] = "Paper (bars)"
        columns = ("x", "published", "published_half_width")
        calls.append(
            Call(method="ax.errorbar", columns=columns, where=where, options=options)
        )
    return calls


def comparison(name: str, title: str, x: str) -> StudyFigure:
    """Return the figure of every row of the table: ours beside the paper's.

    Args:
        name: Of its files.
        title: One line.
        x: Label of the axis of the numbers.
    """

    def draw(study: Study, results: Results, size: FigureSize) -> Drawing:
        shown = [line for line in study.lines if line.key in results]
        if not shown:
            raise StudyError(f"figure {name!r} of {study.name} has nothing to show yet")
        table = _comparison_table(study, results, shown)
        names = table.column("row").values.tolist()
        places = table.numbers("place").tolist()
        calls = [
            _dots(("mean", "place", "zero", "zero"), BLUE, "o", "Ours", size),
            Call(
                method="ax.hlines",
                columns=("place", "low", "high"),
                options={"color": BLUE, "linewidth": 1.2 * size.line, "zorder": 3},
            ),
            Call(
                method="ax.set_yticks", arguments=(places,), options={"labels": names}
            ),
            Call(method="ax.set_ylim", arguments=(len(shown) - 0.4, -0.6)),
            *_number_axis(table),
            Call(method="ax.grid", options={"axis": "y", "alpha": 0.25}),
            *labels(x, ""),
        ]
        if np.isfinite(table.numbers("published")).any():
            paper = ("published", "paper_place", "zero", "published_half_width")
            calls.insert(2, _dots(paper, VERMILION, "D", "Paper", size))
        return Drawing(
            table=table,
            caption=_caption(study, title, results),
            calls=with_legend(calls, FigureChoices(), size, title=title),
        )

    return StudyFigure(name=name, title=title, draw=draw)


def _number_axis(table: Table) -> list[Call]:
    """Return the calls for a logarithmic axis with plain numbers."""
    middles = np.concatenate([table.numbers("mean"), table.numbers("published")])
    tops = np.concatenate(
        [
            middles,
            table.numbers("high"),
            table.numbers("published") + table.numbers("published_half_width"),
        ]
    )
    positive = middles[np.isfinite(middles) & (middles > 0)]
    if len(positive) == 0:
        return []
    low, high = positive.min() / 1.4, np.nanmax(tops[np.isfinite(tops)]) * 1.15
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_numbers = [
        float(f"{digit}e{decade}") for decade in decades for digit in _DIGITS
    ]
    ticks = [number for number in round_numbers if low <= number <= high]
    names = [f"{tick:g}" for tick in ticks]
    return [
        Call(method="ax.set_xscale", arguments=("log",)),
        Call(method="ax.set_xlim", arguments=(float(low), float(high))),
        Call(method="ax.set_xticks", arguments=(ticks,), options={"labels": names}),
        Call(method="ax.xaxis.set_minor_formatter", arguments=("",)),
    ]


def _comparison_table(
    study: Study, results: Results, shown: Sequence[StudyLine]
) -> Table:
    ours = [ours_at(results[line.key], line.at) for line in shown]
    papers = np.array([_spot(line) for line in shown])
    places = np.arange(len(shown), dtype=np.float64)
    names = [f"{study.title_of(line.method)}, {line.setting}" for line in shown]
    return Table(
        (
            Column("row", np.array(names)),
            Column("place", places),
            Column("paper_place", places + _APART),
            Column("zero", np.zeros(len(shown))),
            Column("mean", np.array([entry.mean for entry in ours])),
            Column("low", np.array([entry.low for entry in ours])),
            Column("high", np.array([entry.high for entry in ours])),
            Column("published", papers[:, 0]),
            Column("published_half_width", papers[:, 1]),
            Column("iqm", np.array([entry.iqm for entry in ours])),
            Column("median", np.array([entry.median for entry in ours])),
            Column("num_exploded", np.array([entry.num_exploded for entry in ours])),
        )
    )


def _dots(
    columns: tuple[str, ...], colour: str, marker: str, label: str, size: FigureSize
) -> Call:
    return Call(
        method="ax.errorbar",
        columns=columns,
        options={
            "linestyle": "none",
            "marker": marker,
            "color": colour,
            "elinewidth": 1.2 * size.line,
            "capsize": 2 * size.line,
            "label": label,
            "zorder": 4,
        },
    )


def _caption(study: Study, title: str, results: Results) -> str:
    seeds = max(len(series.values) for series in results.values())
    over = (
        "the tasks of one network"
        if seeds == 1
        else f"{seeds} training seeds (Student's t of their means)"
    )
    return (
        f"{title}: mean with 95\N{NO-BREAK SPACE}% interval over {over}, none where tasks "
        f"exploded or inner steps are unstable, beside {study.source}."
        f"{_also(study, results)}"
    )


def _also(study: Study, results: Results) -> str:
    """Return what differs between the methods of a figure, beside the method."""
    names = {method for method, _ in results}
    drawn = [method for method in study.methods if method.name in names]
    if len(drawn) < 2:
        return ""
    first, *others = drawn
    base = first.config(study.name, seed=0)
    notes = [
        (other.title, difference_note(base, other.config(study.name, seed=0)))
        for other in others
    ]
    told = "; ".join(f"{title} has {note}" for title, note in notes if note)
    return f" Beside {first.title}, {told}." if told else ""
