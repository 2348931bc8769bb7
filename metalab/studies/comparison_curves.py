"""Figure of a comparison: held-out loss over training, a line a method."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from metalab.core.errors import UserError
from metalab.engine.events import Array
from metalab.engine.statistics import seed_interval
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import labels, loss_axis, whole_ticks
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import Call, Drawing, tint
from metalab.figures.legend import with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.figures.training_axis import TRAINING_AXES
from metalab.studies.comparison import (
    Comparison,
    ComparisonError,
    Group,
    MeasuredRun,
)
from metalab.studies.comparison_words import note_on
from metalab.studies.drawing import LOOKS, band_curve

TITLE = "Held-out loss over training"
SPREADS = ("band", "seeds")
"""How seeds are shown: the 95 % interval of their mean, or each as a faint line."""

COMPARED_AXES = tuple(TRAINING_AXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChoices:
    """What a person chose about the curves.

    Attributes:
        x: What losses are drawn against, one of `COMPARED_AXES`.
        spread: How seeds are shown, one of `SPREADS`.
        log_y: Whether the axis of losses is logarithmic.

    Raises:
        UserError: A choice is not admissible.
    """

    x: str = "outer step"
    spread: str = "band"
    log_y: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for name, value, known in (
            ("x", self.x, COMPARED_AXES),
            ("spread", self.spread, SPREADS),
        ):
            if value not in known:
                raise UserError(f"{name} is {value!r}; allowed: {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodCurve:
    """Held-out loss of a method over training.

    Attributes:
        title: Of the method.
        x: How far training had come, mean over seeds, [point].
        mean: Mean over seeds, [point].
        low: Lower end of its 95 % interval; NaN where there is none, [point].
        high: Upper end.
        seeds: x and loss of each run, [evaluation] each.
    """

    title: str
    x: Array
    mean: Array
    low: Array
    high: Array
    seeds: tuple[tuple[Array, Array], ...]


def method_curve(group: Group, axis: str) -> MethodCurve:
    """Return a method's curve against one of `COMPARED_AXES`.

    The mean is of the evaluations that all its measured runs have: one over fewer runs
    would jump. Runs that diverged are in no mean, but their lines are among `seeds`.

    Raises:
        ComparisonError: A run does not tell what the axis needs.
    """
    seeds = tuple((_x_of(run, axis), run.curve()[1]) for run in group.runs)
    steps = [run.curve()[0] for run in group.runs]
    kept = [index for index, run in enumerate(group.runs) if not run.failure]
    shared = np.empty(0)
    if kept:
        shared = reduce(np.intersect1d, [steps[index] for index in kept])
    rows = [(index, np.searchsorted(steps[index], shared)) for index in kept]
    x = np.array([seeds[index][0][row] for index, row in rows])
    losses = np.array([seeds[index][1][row] for index, row in rows])
    means = [seed_interval(losses[:, point]) for point in range(len(shared))]
    return MethodCurve(
        title=group.title,
        x=x.mean(axis=0) if means else shared,
        mean=np.array([one.value for one in means]),
        low=np.array([one.low for one in means]),
        high=np.array([one.high for one in means]),
        seeds=seeds,
    )


def _x_of(run: MeasuredRun, axis: str) -> Array:
    x = run.x[axis]
    if np.isnan(x).any():
        raise ComparisonError(
            f"{run.path} does not tell its {axis}; allowed for x: outer step, training "
            "time, tasks seen"
        )
    return x


def drawing_of(
    found: Comparison, size: FigureSize, choices: CurveChoices | None = None
) -> Drawing:
    """Return the held-out loss over training: a line a method, its seeds around it.

    Raises:
        ComparisonError: No run has evaluations, or one does not tell what the axis needs.
    """
    chosen = CurveChoices() if choices is None else choices
    axis = TRAINING_AXES[chosen.x]
    lines = [method_curve(group, chosen.x) for group in found.groups]
    lines = [line for line in lines if any(len(x) for x, _ in line.seeds)]
    if not lines:
        raise ComparisonError("the runs have no evaluations to draw")
    table = _table(lines, found.unit, axis.unit)
    calls: list[Call] = []
    for index, line in enumerate(lines):
        look = LOOKS[index % len(LOOKS)]
        if chosen.spread == "seeds":
            calls += _faint(line, look[0], size)
        if not len(line.x):  # all diverged: the caption says so
            continue
        band, mean = band_curve(table, line.title, look, size)
        calls += [mean] if chosen.spread == "seeds" else [band, mean]
    on_axes = FigureChoices(legend="right", log_y=chosen.log_y)
    calls += [
        *labels(axis.label, with_unit("Held-out query loss", found.unit)),
        *(whole_ticks("x") if axis.whole else ()),
        *loss_axis(_seen(table, chosen), on_axes),
    ]
    return Drawing(
        table=table,
        caption=f"{curves_caption(chosen)} {note_on(found)}",
        calls=with_legend(calls, on_axes, size, title=TITLE),
    )


def _table(lines: Sequence[MethodCurve], unit: str, x_unit: str) -> Table:
    """Return means under the method's name, and each seed's line under one of its own."""
    rows: list[tuple[str, float, float, float, float]] = []
    for line in lines:
        points = np.stack([line.x, line.mean, line.low, line.high], axis=1)
        rows += [(line.title, *point) for point in points.tolist()]
        for number, (x, losses) in enumerate(line.seeds):
            name = _seed_name(line, number)
            pairs = zip(x.tolist(), losses.tolist(), strict=True)
            rows += [(name, a, b, np.nan, np.nan) for a, b in pairs]
    numbers = np.array([row[1:] for row in rows])
    units = (x_unit, unit, unit, unit)
    names = ("x", "mean", "low", "high")
    return Table(
        (
            Column("series", np.array([row[0] for row in rows])),
            *(Column(name, numbers[:, i], units[i]) for i, name in enumerate(names)),
        )
    )


def _seed_name(line: MethodCurve, number: int) -> str:
    return f"{line.title}, run {number + 1}"


def _faint(line: MethodCurve, colour: str, size: FigureSize) -> list[Call]:
    options = {"color": tint(colour, 0.4), "linewidth": 0.6 * size.line, "zorder": 3}
    return [
        Call(
            method="ax.plot",
            columns=("x", "mean"),
            where={"series": _seed_name(line, number)},
            options=options,
        )
        for number in range(len(line.seeds))
    ]


def _seen(table: Table, choices: CurveChoices) -> list[Array]:
    """Return what the axis has to hold: lines, and bands as far as a logarithm goes."""
    mean = table.numbers("mean")
    if choices.spread == "seeds":
        return [mean]
    own = ~np.isnan(table.numbers("low"))
    low = table.numbers("low")
    means = mean[own] if own.any() else mean
    return [means, table.numbers("high"), low[low > 0]]


def curves_caption(choices: CurveChoices) -> str:
    """Return what the figure shows, without what the table's numbers are."""
    seeds = (
        "its 95 % interval over seeds (Student's t) as a band"
        if choices.spread == "band"
        else "each seed faint"
    )
    note = ""
    if choices.x == "gradient evaluations":
        note = (
            " Gradient evaluations: of the loss of one task each; a Hessian-vector "
            "product counts as two."
        )
    elif choices.x == "training time":
        note = " Training time: mean over seeds, without pauses."
    return f"{TITLE}: mean over training seeds, with {seeds}.{note}"
