"""Hypergradient estimators against K: how good, and at what price.

Not of one run's history, so no figure of the registry: drawn from a comparison.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from metalab import __version__
from metalab.analysis.estimators import BlockResult, Row
from metalab.analysis.solves import Solves
from metalab.core.hypergradient.base import Target
from metalab.figures.errors import FigureError
from metalab.figures.estimator_looks import (
    DIAMOND,
    DISC,
    SQUARE,
    TRIANGLE,
    look_of,
)
from metalab.figures.paint import styled
from metalab.figures.render import check_target as check_file
from metalab.figures.render import replace_file
from metalab.figures.sizes import MM_PER_INCH, size_named
from metalab.figures.table import Column, Table

FORMATS = (".pdf", ".svg", ".png")
DPI = 300

_SIZE = "double"
_ROW_HEIGHT = 42.0
_LEGEND_LINE = 4.2
_HEADING = 6.0
"""In mm: panels, a line of the legend, and the heading of a block."""

_LEGEND_COLUMNS = 5
_MARKERS = {DISC: "o", SQUARE: "s", TRIANGLE: "^", DIAMOND: "D"}
_LARGEST_ERROR = 1e3
"""Errors above it leave the panel: a series that diverges would flatten the others."""

_MEBIBYTE = 2**20

_OF_SOLVES = tuple(field.name for field in fields(Solves))
"""Columns of the table about linear systems; empty where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    label: str
    value: Callable[[BlockResult, Row], float]
    scale: str
    error: Callable[[BlockResult, Row], float] = lambda _result, _row: 0.0


_PANELS = (
    _Panel(
        label="Cosine",
        value=lambda result, row: row.accuracy[result.block.reference].cosine.mean,
        scale="linear",
        error=lambda result, row: (
            row.accuracy[result.block.reference].cosine.standard_error
        ),
    ),
    _Panel(
        label="Relative error",
        value=lambda result, row: (
            row.accuracy[result.block.reference].relative_error.mean
        ),
        scale="log",
        error=lambda result, row: (
            row.accuracy[result.block.reference].relative_error.standard_error
        ),
    ),
    _Panel(
        label="Peak memory (MiB)",
        value=lambda _result, row: row.peak_bytes / _MEBIBYTE,
        scale="linear",
    ),
    _Panel(
        label="Time (ms)",
        value=lambda _result, row: 1e3 * row.seconds,
        scale="log",
    ),
)


def table_of(results: Sequence[BlockResult]) -> Table:
    """Return everything that was measured, one row a problem, K and estimator."""
    found = [(result, row) for result in results for row in result.rows]
    words = [
        ("problem", [result.block.name for result, _ in found]),
        ("estimator", [row.estimator.name for _, row in found]),
        ("target", [row.estimator.target.value for _, row in found]),
        ("exactness", [row.estimator.exactness.value for _, row in found]),
        ("reference", [result.block.reference.value for result, _ in found]),
    ]
    rows = [row for _, row in found]
    return Table(
        (
            *(Column(name, np.array(values)) for name, values in words),
            _numbers("num_inner_steps", [row.num_inner_steps for row in rows]),
            *(
                _numbers(
                    f"{measure}_{part}_{target.name.lower()}",
                    [_measured(row, target, measure, part) for row in rows],
                )
                for target in Target
                for measure in ("cosine", "relative_error", "norm_ratio")
                for part in ("mean", "deviation", "standard_error")
            ),
            _numbers("num_batches", [_batches(row) for row in rows]),
            _numbers("relative_variance", [row.relative_variance for row in rows]),
            *(
                _numbers(name, [_of_solves(row, name) for row in rows])
                for name in _OF_SOLVES
            ),
            _numbers("gradients", [row.evaluations.gradients for row in rows]),
            _numbers("products", [row.evaluations.products for row in rows]),
            _numbers("time", [row.seconds for row in rows], "s"),
            _numbers("peak_memory", [row.peak_bytes for row in rows], "bytes"),
        )
    )


def _batches(row: Row) -> int:
    return next(iter(row.accuracy.values())).cosine.num_batches


def _numbers(name: str, values: Sequence[float], unit: str = "1") -> Column:
    return Column(name, np.array(values, dtype=float), unit)


def _of_solves(row: Row, name: str) -> float:
    return float("nan") if row.solves is None else getattr(row.solves, name)


def _measured(row: Row, target: Target, measure: str, part: str) -> float:
    if target not in row.accuracy:
        return float("nan")
    return getattr(getattr(row.accuracy[target], measure), part)


def draw(results: Sequence[BlockResult]) -> Figure:
    """Return the figure: a row of panels a problem, a line an estimator."""
    size = size_named(_SIZE)
    looks = _looks(results)
    heights = [_height(result) for result in results]
    with styled(size):
        figure = Figure(
            figsize=(size.inches[0], sum(heights) / MM_PER_INCH), layout="constrained"
        )
        parts = figure.subfigures(len(results), 1, height_ratios=heights, squeeze=False)
        for part, result in zip(parts[:, 0], results, strict=True):
            part.suptitle(_heading(result), fontsize=size.text, x=0.01, ha="left")
            all_axes: list[Axes] = list(part.subplots(1, len(_PANELS)))
            for axes, panel in zip(all_axes, _PANELS, strict=True):
                _draw_panel(axes, panel, result, looks)
            part.legend(
                handles=_handles(result, looks),
                loc="outside lower center",
                ncols=_LEGEND_COLUMNS,
            )
    return figure


def _height(result: BlockResult) -> float:
    lines = -(-len(result.block.estimators) // _LEGEND_COLUMNS)
    return _HEADING + _ROW_HEIGHT + lines * _LEGEND_LINE


def _heading(result: BlockResult) -> str:
    problem = {"own": "The run's problem", "proximal": "With a proximal anchor"}
    reference = {
        Target.K_STEP: "the derivative after K steps",
        Target.SOLUTION: "the derivative at the inner solution",
    }
    count = _batches(result.rows[0])
    return (
        f"{problem[result.block.name]}: against {reference[result.block.reference]}; mean "
        f"± standard error over {count} meta-batches"
    )


def _looks(results: Sequence[BlockResult]) -> dict[str, dict[str, Any]]:
    """Return how each estimator is drawn: as everywhere else."""
    names = dict.fromkeys(e.name for r in results for e in r.block.estimators)
    return {name: _options_of(name) for name in names}


def _options_of(name: str) -> dict[str, Any]:
    look = look_of(name)
    return {
        "color": look.colour,
        "marker": _MARKERS[look.mark],
        "linestyle": (0, look.dashes) if look.dashes else "-",
    }


def _handles(result: BlockResult, looks: dict[str, dict[str, Any]]) -> list[Line2D]:
    names = [estimator.name for estimator in result.block.estimators]
    return [Line2D([], [], label=name, **looks[name]) for name in names]


def _draw_panel(
    axes: Axes,
    panel: _Panel,
    result: BlockResult,
    looks: dict[str, dict[str, Any]],
) -> None:
    steps = sorted({row.num_inner_steps for row in result.rows})
    highest = 0.0
    # The first ones, which are exact, last: on top.
    for estimator in reversed(result.block.estimators):
        rows = [row for row in result.rows if row.estimator.name == estimator.name]
        rows.sort(key=lambda row: row.num_inner_steps)
        values = [panel.value(result, row) for row in rows]
        axes.errorbar(
            [row.num_inner_steps for row in rows],
            values,
            yerr=[panel.error(result, row) for row in rows],
            capsize=0,
            **looks[estimator.name],
        )
        highest = max([highest, *(v for v in values if np.isfinite(v))])
    axes.set_xlabel("Inner steps K")
    axes.set_ylabel(panel.label)
    axes.set_xticks(steps)
    axes.set_yscale(panel.scale)
    if panel.scale == "log" and highest > _LARGEST_ERROR and "error" in panel.label:
        axes.set_ylim(top=_LARGEST_ERROR)
    if panel.label == "Cosine":
        axes.set_ylim(top=1.05)
    elif panel.scale == "linear":
        axes.set_ylim(bottom=0)


def check_target(path: Path, suffixes: Sequence[str]) -> None:
    """Refuse, before anything is measured, a file that could not be written.

    Raises:
        FigureError: The suffix is another, or the folder does not exist.
    """
    if path.suffix.lower() not in suffixes:
        raise FigureError(
            f"the suffix of {path.name!r} is {path.suffix!r}; allowed: "
            f"{', '.join(suffixes)}"
        )
    check_file(path)


def render(results: Sequence[BlockResult], path: Path) -> None:
    """Write the figure in the format that the path's suffix names.

    Raises:
        FigureError: The suffix is another, or the file cannot be written.
    """
    check_target(path, FORMATS)
    suffix = path.suffix.lower()
    content = io.BytesIO()
    # No clock: equal measurements make equal files.
    metadata: dict[str, Any] = {"Title": "Hypergradient estimators"}
    program = f"metalab {__version__}"
    if suffix == ".png":
        metadata["Software"] = program
    else:
        metadata["Creator"] = program
        metadata["CreationDate" if suffix == ".pdf" else "Date"] = None
    with styled(size_named(_SIZE)):
        draw(results).savefig(content, format=suffix[1:], dpi=DPI, metadata=metadata)
    replace_file(path, content.getvalue())


def write_csv(results: Sequence[BlockResult], path: Path) -> None:
    """Write the table of the figure.

    Raises:
        FigureError: The suffix is another, or the file cannot be written.
    """
    check_target(path, (".csv",))
    replace_file(path, table_of(results).to_csv().encode())
