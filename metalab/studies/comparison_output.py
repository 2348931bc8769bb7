"""A comparison as a table for a paper, a web page or a spreadsheet, and as a figure."""

import html
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from metalab.engine.events import Array
from metalab.engine.statistics import Interval, seed_interval
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import labels, loss_axis
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import Call, Drawing, number_of
from metalab.figures.formats import FORMATS
from metalab.figures.legend import with_legend
from metalab.figures.render import render_drawing, replace_file
from metalab.figures.sizes import FigureSize, size_named
from metalab.figures.table import Column, Table
from metalab.studies.comparison import (
    Comparison,
    ComparisonError,
    Difference,
    Group,
)
from metalab.studies.drawing import LOOKS, band_curve

HEADINGS = (
    "Method",
    "Seeds",
    "Diverged",
    "Mean",
    "Interquartile mean",
    "Median",
    "Best seed",
    "Difference",
    "p",
)
FIGURES = tuple(suffix for suffix in FORMATS if suffix != ".csv")
"""A CSV is the table here, and not the data of the figure."""


def rows_of(found: Comparison) -> list[tuple[str, ...]]:
    """Return a row a method, in the order of `HEADINGS`."""
    of = {difference.one: difference for difference in found.differences}
    return [_row(group, of.get(group.title)) for group in found.groups]


def _row(group: Group, difference: Difference | None) -> tuple[str, ...]:
    return (
        group.title,
        str(len(group.measured)),
        str(group.num_failed),
        interval_text(group.mean()),
        interval_text(group.interquartile_mean()),
        _number(group.median()),
        _number(group.best()),
        "" if difference is None else interval_text(difference.interval),
        "" if difference is None else p_text(difference.p_holm),
    )


def interval_text(interval: Interval) -> str:
    """Return a number with the ends of its interval: "0.35 [0.31, 0.40]"."""
    value = _number(interval.value)
    if not interval.given:
        return value
    return f"{value} [{_number(interval.low)}, {_number(interval.high)}]"


def p_text(p: float) -> str:
    """Return a p value as papers print them."""
    if math.isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


def note_on(found: Comparison) -> str:
    """Return what the numbers are, as a sentence or two below a table."""
    over = f"{number_of(found.num_tasks, 'held-out task')}, the same for every run"
    seeds = "In brackets: 95 % interval over training seeds and tasks"
    if any(len(group.measured) == 1 for group in found.groups):
        seeds += "; of a method with one seed, over tasks alone"
    unit = "" if found.unit == "1" else f" in {found.unit}"
    note = f"Query loss{unit} after adaptation to {over}. {seeds}."
    if found.differences:
        first = found.differences[0]
        tests = " and ".join(dict.fromkeys(d.test for d in found.differences))
        note += (
            f" Difference: to {first.reference}, on the same tasks"
            f"{' and seeds' if first.paired else ''}; p: {tests}, Holm's correction."
        )
    failed = sum(group.num_failed for group in found.groups)
    if failed:
        note += f" {number_of(failed, 'run')} diverged and count in no mean."
    return note


def to_markdown(found: Comparison) -> str:
    """Return a Markdown table, with what it shows below."""

    def line(cells: Sequence[str]) -> str:
        whole = " | ".join(cell.replace("|", "\\|") for cell in cells)
        return f"| {whole} |"

    rows = [line(HEADINGS), line(["---"] * len(HEADINGS))]
    rows += [line(row) for row in rows_of(found)]
    words = [difference.words for difference in found.differences]
    return "\n".join([*rows, "", note_on(found), "", *words, ""])


_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "²": "$^2$",
}


def latex_text(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def to_latex(found: Comparison) -> str:
    """Return a table for the package booktabs; the best mean is bold."""
    means = [group.mean().value for group in found.groups]
    best = min((m for m in means if not math.isnan(m)), default=math.nan)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{latex_text(note_on(found))}}}",
        r"  \begin{tabular}{lrrlllrlr}",
        r"    \toprule",
        f"    {' & '.join(latex_text(h) for h in HEADINGS)} \\\\",
        r"    \midrule",
    ]
    for row, mean in zip(rows_of(found), means, strict=True):
        cells = [latex_text(cell) for cell in row]
        if mean == best:
            cells[3] = f"\\textbf{{{cells[3]}}}"
        lines.append(f"    {' & '.join(cells)} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""]
    return "\n".join(lines)


def to_html(found: Comparison) -> str:
    """Return a page of its own with the table and its words."""
    head = "".join(f"<th>{html.escape(h)}</th>" for h in HEADINGS)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in rows_of(found)
    )
    words = "".join(f"<p>{html.escape(d.words)}</p>" for d in found.differences)
    style = (
        "body{font:15px sans-serif;max-width:70em;margin:2em auto}"
        "table{border-collapse:collapse}td,th{padding:.3em .8em;text-align:left}"
        "thead{border-bottom:1px solid}tbody tr:last-child{border-bottom:1px solid}"
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Comparison of methods</title><style>{style}</style>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n"
        f"<p>{html.escape(note_on(found))}</p>{words}</html>\n"
    )


def to_csv(found: Comparison) -> str:
    """Return plain numbers, a row a method, with full digits."""
    groups, of = found.groups, {d.one: d for d in found.differences}
    means = [group.mean() for group in groups]
    middles = [group.interquartile_mean() for group in groups]
    differences = [of.get(group.title) for group in groups]

    def column(name: str, values: Sequence[float], unit: str = "") -> Column:
        return Column(name, np.array(values, dtype=float), unit)

    def of_difference(value: Callable[[Difference], float]) -> list[float]:
        return [math.nan if d is None else value(d) for d in differences]

    table = Table(
        (
            Column("method", np.array([group.title for group in groups])),
            column("num_seeds", [len(group.measured) for group in groups]),
            column("num_diverged", [group.num_failed for group in groups]),
            column("mean", [m.value for m in means], found.unit),
            column("mean_low", [m.low for m in means], found.unit),
            column("mean_high", [m.high for m in means], found.unit),
            column("iqm", [m.value for m in middles], found.unit),
            column("iqm_low", [m.low for m in middles], found.unit),
            column("iqm_high", [m.high for m in middles], found.unit),
            column("median", [group.median() for group in groups], found.unit),
            column("best_seed", [group.best() for group in groups], found.unit),
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
    return table.to_csv()


TABLES: dict[str, Callable[[Comparison], str]] = {
    ".md": to_markdown,
    ".tex": to_latex,
    ".html": to_html,
    ".csv": to_csv,
}
"""Writers of a table, by the suffix of its file."""

SUFFIXES = (*TABLES, *FIGURES)


def drawing_of(found: Comparison, size: FigureSize) -> Drawing:
    """Return the held-out loss over training: a line a method, its band over seeds.

    Raises:
        ComparisonError: No run has evaluations.
    """
    rows: list[tuple[str, float, float, float, float]] = []
    for group in found.groups:
        rows += [(group.title, *numbers) for numbers in _over_training(group)]
    if not rows:
        raise ComparisonError("the runs have no evaluations to draw")
    numbers = np.array([row[1:] for row in rows])
    table = Table(
        (
            Column("series", np.array([row[0] for row in rows])),
            *(
                Column(name, numbers[:, i], "" if i == 0 else found.unit)
                for i, name in enumerate(("x", "mean", "low", "high"))
            ),
        )
    )
    calls: list[Call] = []
    shown = dict.fromkeys(row[0] for row in rows)
    for index, title in enumerate(shown):
        calls += band_curve(table, title, LOOKS[index % len(LOOKS)], size)
    choices = FigureChoices(legend="right")
    calls += [
        *labels("Outer step", with_unit("Held-out query loss", found.unit)),
        *loss_axis(_seen(table), choices),
    ]
    title = "Held-out loss over training"
    return Drawing(
        table=table,
        caption=f"{title}: mean over training seeds, with its 95 % interval over seeds "
        f"as a band. {note_on(found)}",
        calls=with_legend(calls, choices, size, title=title),
    )


def _seen(table: Table) -> list[Array]:
    """Return what the axis has to hold: lines, and bands as far as a logarithm goes."""
    low = table.numbers("low")
    return [table.numbers("mean"), table.numbers("high"), low[low > 0]]


def _over_training(group: Group) -> list[tuple[float, float, float, float]]:
    """Return outer step, mean over seeds, and the ends of its interval."""
    by_step: dict[int, list[float]] = {}
    for run in group.measured:
        series, k = run.history.evaluations, run.history.num_inner_steps
        means = series.query_mean[:, k]
        for step, loss in zip(series.steps.tolist(), means.tolist(), strict=True):
            by_step.setdefault(int(step), []).append(loss)
    # Only where every seed was evaluated: a mean over fewer would jump.
    whole = [
        (step, seed_interval(losses))
        for step, losses in sorted(by_step.items())
        if len(losses) == len(group.measured)
    ]
    return [(float(step), one.value, one.low, one.high) for step, one in whole]


def write_comparison(found: Comparison, path: Path) -> tuple[Path, ...]:
    """Write a table or the figure, in the format of the path's suffix.

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
        drawing_of(found, size_named("double")),
        path,
        title="Held-out loss over training",
        origin=f"metalab compare: {methods}",
        size="double",
    )
