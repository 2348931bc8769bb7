"""The page Estimators: hypergradient estimators against the exact one."""

import math
from typing import Any

import numpy as np

from metalab.analysis.comparison import Comparison, Measured
from metalab.core.hypergradient.target import Target
from metalab.engine.events import Array
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    GREY,
    Call,
    Drawing,
    number_of,
)
from metalab.figures.errors import FigureError
from metalab.figures.estimator_looks import (
    DIAMOND,
    DISC,
    SQUARE,
    TRIANGLE,
    look_of,
)
from metalab.figures.legend import with_legend
from metalab.figures.sights import EstimatorsSight
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table

_MARKERS = {DISC: "o", SQUARE: "s", TRIANGLE: "^", DIAMOND: "D"}
_OWN = "own"
_FLOOR, _CEILING = 1e-8, 1e3
"""Below, an error is rounding; one above would flatten the others. There axes end."""

_DOTS = ("cosine", "relative_error", "norm_ratio")
_EMS_OF_DOTS = (0, 36, 60)
"""Widths, in heights of the text, from which one, two and three of these have panels."""


def _table(comparison: Comparison) -> Table:
    rows = tuple(sorted(comparison.rows, key=_place_in_table))
    chosen = _chosen(comparison)
    places = {_key(row): float(place) for place, row in enumerate(chosen)}
    words = {
        "estimator": [row.name for row in rows],
        "title": [row.title for row in rows],
        "problem": [row.problem for row in rows],
        "target": [row.target.value for row in rows],
    }
    numbers = (
        "num_inner_steps",
        "num_batches",
        "cosine",
        "norm_ratio",
        "relative_error",
    )
    columns = [Column(name, np.array(values)) for name, values in words.items()]
    columns.append(
        Column("place", np.array([places.get(_key(row), np.nan) for row in rows]))
    )
    columns.append(
        Column(
            "listed",
            np.array([float(row.num_inner_steps == _k(comparison)) for row in rows]),
        )
    )
    columns += [_column(name, rows) for name in numbers]
    for name in ("cosine", "norm_ratio", "relative_error"):
        columns += _ends(name, rows)
    columns += [_column(name, rows) for name in ("variance", "gradients", "products")]
    columns.append(Column("time", np.array([row.seconds for row in rows]), "s"))
    peak = np.array([float(row.peak_bytes) for row in rows])
    return Table((*columns, Column("peak_memory", peak, "bytes")))


def _place_in_table(row: Measured) -> tuple[str, str, int]:
    """Return where a row stands: lines go through K in ascending order."""
    return (*_key(row), row.num_inner_steps)


def _column(name: str, rows: tuple[Measured, ...]) -> Column:
    return Column(name, np.array([float(getattr(row, name)) for row in rows]))


def _ends(name: str, rows: tuple[Measured, ...]) -> list[Column]:
    """Return the standard error of a mean, and the ends of its bar."""
    mean = np.array([getattr(row, name) for row in rows])
    error = np.array([getattr(row, f"{name}_error") for row in rows])
    of_error = name == "relative_error"
    ends = (_FLOOR, _CEILING) if of_error else (-np.inf, np.inf)
    return [
        Column(f"{name}_standard_error", error),
        Column(f"{name}_low", np.clip(mean - error, *ends)),
        Column(f"{name}_high", np.clip(mean + error, *ends)),
        *([Column(f"{name}_drawn", np.clip(mean, *ends))] if of_error else []),
    ]


def _key(row: Measured) -> tuple[str, str]:
    return row.problem, row.name


def _k(comparison: Comparison) -> int:
    return comparison.request.num_inner_steps


def _chosen(comparison: Comparison) -> list[Measured]:
    """Return the rows at the chosen K: what can be compared stays together."""
    rows = [row for row in comparison.rows if row.num_inner_steps == _k(comparison)]
    return sorted(rows, key=_rank)


def _rank(row: Measured) -> tuple[Any, ...]:
    error = row.relative_error if math.isfinite(row.relative_error) else math.inf
    aims_at_solution = row.target is Target.SOLUTION
    return row.problem != _OWN, aims_at_solution, max(error, _FLOOR), row.name


def _draw(sight: EstimatorsSight, choices: FigureChoices, size: FigureSize) -> Drawing:
    comparison = sight.comparison
    listed = _chosen(comparison)
    if not listed:
        raise FigureError("no estimator has been measured at the chosen K yet")
    count = sum(size.points / size.text >= ems for ems in _EMS_OF_DOTS)
    dots = ("relative_error",) if count == 1 else _DOTS[:count]
    looks = _looks(listed)
    calls: list[Call] = []
    for number, name in enumerate(dots, start=1):
        calls += _dots(f"ax{number}", name, listed, looks, size)
    curve = f"ax{len(dots) + 1}"
    calls += _curves(curve, comparison, listed, looks, size)
    calls += _names("ax1", listed, size)
    calls += _note(listed, size)
    for number in range(2, len(dots) + 1):
        options = {"axis": "y", "labelleft": False, "length": 0}
        calls.append(Call(method=f"ax{number}.tick_params", options=options))
    title = f"Hypergradient estimators: {sight.history.name}"
    bare = FigureChoices(legend="none")
    del choices
    return Drawing(
        table=_table(comparison),
        caption=_caption(sight),
        panels=len(dots) + 1,
        columns=len(dots) + 1,
        shared="none",
        ratios=(*([1.0] * len(dots)), 1.2 + 0.1 * count),
        calls=with_legend(calls, bare, size, title=title),
    )


def _looks(listed: list[Measured]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return colour, mark and line of each estimator, those of the page."""
    looks = {_key(row): look_of(row.name) for row in listed}
    return {
        key: {
            "color": look.colour,
            "marker": _MARKERS[look.mark],
            "linestyle": (0, look.dashes) if look.dashes else "-",
        }
        for key, look in looks.items()
    }


_AGAINST = {Target.K_STEP: "K inner steps", Target.SOLUTION: "the inner solution"}
_LABELS = {
    "cosine": "Cosine",
    "norm_ratio": "Norm ratio",
    "relative_error": "Relative error",
}


def _dots(
    axes: str,
    name: str,
    listed: list[Measured],
    looks: dict[tuple[str, str], dict[str, Any]],
    size: FigureSize,
) -> list[Call]:
    drawn = "relative_error_drawn" if name == "relative_error" else name
    calls: list[Call] = []
    for row in listed:
        where = {"problem": row.problem, "estimator": row.name, "listed": 1}
        look = looks[_key(row)]
        calls += [
            Call(
                method=f"{axes}.hlines",
                columns=("place", f"{name}_low", f"{name}_high"),
                where=where,
                options={"color": look["color"], "linewidth": size.line, "zorder": 2},
            ),
            Call(
                method=f"{axes}.plot",
                columns=(drawn, "place"),
                where=where,
                options={**look, "linestyle": "none", "zorder": 3},
            ),
        ]
    exact = {"color": GREY, "linewidth": 0.7 * size.line, "zorder": 1}
    if name != "relative_error":
        at = {**exact, "linestyle": (0, (2, 2))}
        calls.append(Call(method=f"{axes}.axvline", arguments=(1.0,), options=at))
        calls.append(
            Call(method=f"{axes}.locator_params", options={"axis": "x", "nbins": 3})
        )
    else:
        calls += _log_axis(f"{axes}.set_xscale", _errors(listed))
    return [
        *calls,
        Call(method=f"{axes}.set_xlabel", arguments=(_LABELS[name],)),
        Call(method=f"{axes}.set_ylim", arguments=(len(listed) - 0.4, -0.6)),
        Call(method=f"{axes}.margins", options={"x": 0.12}),
    ]


def _errors(rows: list[Measured]) -> Array:
    return np.array([row.relative_error for row in rows])


def _log_axis(method: str, errors: Array) -> list[Call]:
    """Return the call for a logarithmic axis, where there is anything to draw on it."""
    known = np.isfinite(errors) & (errors > 0)
    return [Call(method=method, arguments=("log",))] if known.any() else []


def _names(axes: str, listed: list[Measured], size: FigureSize) -> list[Call]:
    places = list(range(len(listed)))
    texts = [_short(row) for row in listed]
    return [
        Call(
            method=f"{axes}.set_yticks", arguments=(places,), options={"labels": texts}
        ),
        Call(
            method=f"{axes}.tick_params",
            options={"axis": "y", "length": 0, "labelsize": 0.9 * size.small_text},
        ),
    ]


def _marks_explained(listed: list[Measured]) -> list[str]:
    """Return what the marks behind the names mean, of those that there are."""
    notes: list[str] = []
    if any(row.target is Target.SOLUTION for row in listed):
        notes.append("* aims at the derivative of the inner solution")
    if any(row.problem != _OWN for row in listed):
        notes.append("† on the same network with a proximal anchor")
    return notes


def _note(listed: list[Measured], size: FigureSize) -> list[Call]:
    """Return the call for the lines below the panels that explain the marks."""
    notes = _marks_explained(listed)
    if not notes:
        return []
    options = {"x": 0.01, "ha": "left", "fontsize": 0.9 * size.small_text}
    return [
        Call(method="fig.supxlabel", arguments=("\n".join(notes),), options=options)
    ]


def _short(row: Measured) -> str:
    name = row.title.split(" (")[0]
    marks = "*" if row.target is Target.SOLUTION else ""
    marks += "†" if row.problem != _OWN else ""
    return f"{name} {marks}".strip()


def _curves(
    axes: str,
    comparison: Comparison,
    listed: list[Measured],
    looks: dict[tuple[str, str], dict[str, Any]],
    size: FigureSize,
) -> list[Call]:
    calls: list[Call] = []
    for row in listed:
        if row.problem != _OWN:
            continue
        calls.append(
            Call(
                method=f"{axes}.plot",
                columns=("num_inner_steps", "relative_error_drawn"),
                where={"problem": row.problem, "estimator": row.name},
                options={
                    **looks[_key(row)],
                    "markersize": 2.2 * size.line,
                    "zorder": 3,
                },
            )
        )
    mark = {
        "color": BLACK,
        "linestyle": (0, (1, 1.5)),
        "linewidth": size.line,
        "zorder": 1,
    }
    return [
        *calls,
        Call(method=f"{axes}.axvline", arguments=(_k(comparison),), options=mark),
        *_log_axis(f"{axes}.set_yscale", _errors(listed)),
        Call(method=f"{axes}.set_xlabel", arguments=("Inner steps K",)),
        Call(method=f"{axes}.set_ylabel", arguments=("Relative error",)),
    ]


def _caption(sight: EstimatorsSight) -> str:
    comparison = sight.comparison
    request = comparison.request
    listed = _chosen(comparison)
    batches = listed[0].num_batches if listed else 0
    rate = "" if request.inner_lr is None else f", inner lr {request.inner_lr:.3g}"
    damping = "" if request.damping is None else f", damping {request.damping:.3g}"
    notes = "".join(f" {note}." for note in _marks_explained(listed))
    done = "" if comparison.done else " Not all has been measured."
    return (
        f"Hypergradient estimators at {sight.history.name} after "
        f"{number_of(request.step, 'outer step')}, against the exact hypergradient of "
        f"{_AGAINST[request.against]}: mean ± standard error over {batches} meta-batches of "
        f"{number_of(request.num_tasks, 'task')} (seed {request.seed}{rate}{damping}), at "
        f"K = {request.num_inner_steps}, and relative error against K; errors below "
        f"10⁻⁸ or above 10³ are drawn there.{notes}{done}"
    )


FIGURE = FigureSpec(
    name="estimators",
    title="Hypergradient estimators",
    heeds=frozenset(),
    draw=_draw,
    page="estimators",
    sight=EstimatorsSight,
    costly=True,
)
