"""A comparison as a table for a paper, a web page or a spreadsheet, and as a figure."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from metalab.figures.formats import FORMATS
from metalab.figures.render import render_drawing, replace_file
from metalab.figures.sizes import size_named
from metalab.figures.table import Column, Table
from metalab.studies.comparison import Comparison, ComparisonError, Difference
from metalab.studies.comparison_curves import TITLE, CurveChoices, drawing_of
from metalab.studies.comparison_words import (
    HEADINGS,
    NUMBERS,
    note_on,
    rows_of,
    setting_headings,
    setting_rows,
)
from metalab.studies.page import page, paragraph, table

FIGURES = tuple(suffix for suffix in FORMATS if suffix != ".csv")
"""A CSV is the table here, and not the data of the figure."""


def to_markdown(found: Comparison) -> str:
    """Return a Markdown table, what it shows below, and the settings that differ."""
    words = [difference.words for difference in found.differences]
    lines = [*_markdown(HEADINGS, rows_of(found)), "", note_on(found), "", *words, ""]
    settings = setting_rows(found)
    if settings:
        lines += [*_markdown(setting_headings(found), settings), ""]
    return "\n".join(lines)


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        whole = " | ".join(cell.replace("|", "\\|") for cell in cells)
        return f"| {whole} |"

    return [line(headings), line(["---"] * len(headings)), *map(line, rows)]


_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "²": "$^2$",
    "\N{EN DASH}": "--",
}


def latex_text(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def to_latex(found: Comparison) -> str:
    """Return tables for the package booktabs; the best mean is bold."""
    means = [group.mean().value for group in found.groups]
    best = min((m for m in means if not math.isnan(m)), default=math.nan)
    place = HEADINGS.index("Mean")
    rows: list[list[str]] = []
    for row, mean in zip(rows_of(found), means, strict=True):
        cells = [latex_text(cell) for cell in row]
        if mean == best:
            cells[place] = f"\\textbf{{{cells[place]}}}"
        rows.append(cells)
    lines = [
        r"% \usepackage{booktabs}",
        *_latex(HEADINGS, rows, note_on(found), columns="lrrrlllrllrl"),
    ]
    settings = [[latex_text(cell) for cell in row] for row in setting_rows(found)]
    if settings:
        lines += _latex(
            setting_headings(found),
            settings,
            "Settings in which the methods differ.",
            columns="l" * (1 + len(found.groups)),
        )
    return "\n".join([*lines, ""])


def _latex(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
    *,
    columns: str,
) -> list[str]:
    """Return the lines of a table whose cells are LaTeX already."""
    return [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{latex_text(caption)}}}",
        f"  \\begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        f"    {' & '.join(latex_text(h) for h in headings)} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(row)} \\\\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]


def to_html(found: Comparison) -> str:
    """Return a page of its own with the tables and their words."""
    title = "Comparison of methods"
    return page(title, f"<h1>{title}</h1>\n{html_of(found)}")


def html_of(found: Comparison) -> str:
    """Return the tables and their words as they stand on a page."""
    parts = [
        table(HEADINGS, rows_of(found), numbers=NUMBERS),
        paragraph(note_on(found), "note"),
        *(paragraph(difference.words) for difference in found.differences),
    ]
    settings = setting_rows(found)
    if settings:
        parts += [
            "<h3>Settings that differ</h3>",
            table(setting_headings(found), settings),
        ]
    failures = found.failures()
    if failures:
        parts += ["<h3>Runs that count in no mean</h3>", *map(paragraph, failures)]
    return "\n".join(parts)


def to_csv(found: Comparison) -> str:
    """Return plain numbers, a row a method, with full digits."""
    groups, of = found.groups, {d.one: d for d in found.differences}
    means = [group.mean() for group in groups]
    middles = [group.interquartile_mean() for group in groups]
    differences = [of.get(group.title) for group in groups]

    def column(name: str, values: Sequence[float], unit: str = "1") -> Column:
        return Column(name, np.array(values, dtype=float), unit)

    def of_difference(value: Callable[[Difference], float]) -> list[float]:
        return [math.nan if d is None else value(d) for d in differences]

    columns = Table(
        (
            Column("method", np.array([group.title for group in groups])),
            column("num_seeds", [len(group.measured) for group in groups]),
            column("num_diverged", [group.num_diverged for group in groups]),
            column("num_failed", [group.num_failed for group in groups]),
            column("mean", [m.value for m in means], found.unit),
            column("mean_low", [m.low for m in means], found.unit),
            column("mean_high", [m.high for m in means], found.unit),
            column("iqm", [m.value for m in middles], found.unit),
            column("iqm_low", [m.low for m in middles], found.unit),
            column("iqm_high", [m.high for m in middles], found.unit),
            column("median", [group.median() for group in groups], found.unit),
            column("best_seed", [group.best() for group in groups], found.unit),
            *_on_curves(found),
            column("difference", of_difference(lambda d: d.interval.value), found.unit),
            column(
                "difference_low", of_difference(lambda d: d.interval.low), found.unit
            ),
            column(
                "difference_high", of_difference(lambda d: d.interval.high), found.unit
            ),
            column("p", of_difference(lambda d: d.p)),
            column("p_holm", of_difference(lambda d: d.p_holm)),
            column("share_better", of_difference(lambda d: d.share_better)),
        )
    )
    return columns.to_csv()


def _on_curves(found: Comparison) -> list[Column]:
    """Return the numbers of the learning curves; an empty cell where half never arrive."""
    times = [group.time_to(found.threshold) for group in found.groups]
    areas = [group.area(found.end) for group in found.groups]
    count, unit = len(found.groups), found.unit

    def column(name: str, values: Sequence[float], unit: str = "1") -> Column:
        return Column(name, np.array(values, dtype=float), unit)

    medians = [t.median if math.isfinite(t.median) else math.nan for t in times]
    return [
        column("threshold", [found.threshold] * count, unit),
        column("steps_to_threshold", medians),
        column("num_reached", [time.num_reached for time in times]),
        column("followed_steps", [time.followed for time in times]),
        column("area_end", [found.end] * count),
        column("area_under_curve", [area.value for area in areas], unit),
        column("area_under_curve_low", [area.low for area in areas], unit),
        column("area_under_curve_high", [area.high for area in areas], unit),
    ]


TABLES: dict[str, Callable[[Comparison], str]] = {
    ".md": to_markdown,
    ".tex": to_latex,
    ".html": to_html,
    ".csv": to_csv,
}
"""Writers of a table, by the suffix of its file."""

SUFFIXES = (*TABLES, *FIGURES)


def write_comparison(
    found: Comparison, path: Path, choices: CurveChoices | None = None
) -> tuple[Path, ...]:
    """Write a table or the figure, in the format of the path's suffix.

    Args:
        found: What was measured.
        path: Its suffix is one of `SUFFIXES`.
        choices: What a person chose about the figure; the defaults if None.

    Raises:
        ComparisonError: The suffix is none of `SUFFIXES`.
        FigureError: The file cannot be written; what was there stays.
    """
    suffix = path.suffix.lower()
    if suffix in TABLES:
        replace_file(path, TABLES[suffix](found).encode())
        return (path,)
    if suffix not in FIGURES:
        raise ComparisonError(
            f"{path} ends in {path.suffix!r}; allowed: {', '.join(SUFFIXES)}"
        )
    methods = ", ".join(group.title for group in found.groups)
    return render_drawing(
        drawing_of(found, size_named("double"), choices),
        path,
        title=TITLE,
        origin=f"metalab compare: {methods}",
        size="double",
    )
