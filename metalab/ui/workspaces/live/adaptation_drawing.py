"""Plot items of the adaptation to one held-out task."""

from collections.abc import Sequence

import numpy as np

from metalab.analysis.edited_support import EditedSupport
from metalab.engine.events import Array, Curves, HeldOutTasks
from metalab.figures.drawing import spread
from metalab.ui.plot.limits import Limits
from metalab.ui.plot.marks import Curve, Dots, Stroke
from metalab.ui.plot.painting import Ink, ramp_ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.widgets.legend import Entry, Swatch

_NUM_CURVES = 51
"""One for every inner step up to fifty; of more, an even choice."""

_MOST_CURVES = _NUM_CURVES + 1
"""K is always among them."""

_REACH = 0.4
"""How far beyond the task a curve stretches the axis, in extents of all tasks."""

LEGEND = (
    Entry(swatch=Swatch.DASHED, ink=Ink(role="truth"), text="True curve"),
    Entry(swatch=Swatch.RING, ink=Ink(role="support"), text="Support set"),
    Entry(swatch=Swatch.DOT, ink=Ink(role="query", share=0.6), text="Query set"),
)

_MOVED = Entry(swatch=Swatch.DOT, ink=Ink(role="support"), text="Your support set")

BAND_DEVIATIONS = 2.0
"""Half width of the predictive band, in standard deviations."""

_BAND = Ink(role="ramp_end", share=0.2)
_BAND_ENTRY = Entry(swatch=Swatch.BAND, ink=_BAND, text="±2 predictive sd")


def legend_of(*, banded: bool, moved: bool, known: bool) -> tuple[Entry, ...]:
    """Return what the marks mean.

    Args:
        banded: Whether there is a predictive band.
        moved: Whether a person has moved support points.
        known: Whether somebody knows the true curve.
    """
    truth, support, query = LEGEND
    entries = (*((truth,) if known else ()), _MOVED if moved else support, query)
    return (*entries, _BAND_ENTRY) if banded else entries


class AdaptationDrawing:
    """The marks in the plot, kept and given new data."""

    def __init__(self, plot: Plot) -> None:
        """Put the marks into a plot, without data."""
        self._plot = plot
        self._shown: list[int] = []
        self.band = plot.band(_BAND, z=-1)
        self.query = plot.points(Dots(fill=Ink(role="query", share=0.5), size=3.5), z=0)
        plain = Stroke(ink=ramp_ink(0, 1, 1), smooth=True)
        self.curves: list[Curve] = [
            plot.line(plain, z=1 + index / _MOST_CURVES)
            for index in range(_MOST_CURVES)
        ]
        self.truth = plot.line(
            Stroke(ink=Ink(role="truth"), width=1.5, dashes=(4.0, 3.0), smooth=True),
            z=3,
        )
        self.chosen = plot.line(plain, z=4)
        self.halo = plot.points(
            Dots(fill=Ink(role="accent", share=0.5), size=19), z=4.2
        )
        self.own = plot.points(
            Dots(
                fill=Ink(role="surface"),
                ring=Ink(role="support", share=0.45),
                size=6,
                ring_width=1.5,
            ),
            z=4.1,
        )
        self.support = plot.points(
            Dots(
                fill=Ink(role="surface"),
                ring=Ink(role="support"),
                size=9,
                ring_width=2.5,
            ),
            z=5,
        )
        self.moved = plot.points(
            Dots(
                fill=Ink(role="support"),
                ring=Ink(role="surface"),
                size=12,
                ring_width=1.5,
            ),
            z=5,
        )

    @property
    def shown_steps(self) -> list[int]:
        """The inner steps whose curves are drawn, apart from the chosen one."""
        return self._shown

    def clear(self) -> None:
        """Draw nothing."""
        none: Array = np.empty(0)
        self._shown = []
        dots = (self.query, self.own, self.halo, self.support, self.moved)
        for mark in (*self.curves, self.truth, self.chosen, *dots):
            mark.set_data(none, none)
        self.band.set_data(none, none, none)

    def clear_curves(self) -> None:
        """Draw no curve after an inner step; the task stays."""
        none: Array = np.empty(0)
        self._shown = []
        for curve in (*self.curves, self.chosen):
            curve.set_data(none, none)
        self.band.set_data(none, none, none)

    def draw_task(self, tasks: HeldOutTasks, task: int) -> None:
        """Draw what never changes of a task."""
        self.truth.set_data(*tasks.plotted_truth(task))
        self.query.set_data(*tasks.query.plotted(task))

    def draw_support(
        self, points: EditedSupport, own: EditedSupport, marks: Sequence[int]
    ) -> None:
        """Draw the support set.

        Args:
            points: As it is.
            own: As the task has it; the same object if nobody has moved a point.
            marks: The points that are hovered, held or selected.
        """
        none: Array = np.empty(0)
        elsewhere = (points.x != own.x) | (points.y != own.y)
        shown, other = self.moved, self.support
        if points is own:
            shown, other = other, shown
        shown.set_data(points.x, points.y)
        other.set_data(none, none)
        self.own.set_data(own.x[elsewhere], own.y[elsewhere])
        marked = list(marks)
        self.halo.set_data(points.x[marked], points.y[marked])

    def draw_curves(
        self, tasks: HeldOutTasks, curves: Curves, task: int, step: int
    ) -> None:
        """Draw the curves after each inner step.

        Args:
            tasks: Where the grid is from.
            curves: What to draw.
            task: Which task.
            step: The inner step that is emphasised.
        """
        last = curves.curves.shape[1] - 1
        k = tasks.num_inner_steps
        self._shown = spread(last, _NUM_CURVES, keep=(k,))
        none: Array = np.empty(0)
        for index, curve in enumerate(self.curves):
            if index >= len(self._shown):
                curve.set_data(none, none)
                continue
            shown = self._shown[index]
            curve.set_stroke(_stroke(shown, k, last))
            curve.set_data(tasks.grid, curves.curves[task, shown])
        emphasis = Stroke(ink=ramp_ink(step, k, last), width=3.5, smooth=True)
        self.chosen.set_stroke(emphasis)
        self.chosen.set_data(tasks.grid, curves.curves[task, step])
        if curves.deviation is None:
            self.band.set_data(none, none, none)
        else:
            self.band.set_data(tasks.grid, *band_of(curves, (task, step)))


def band_of(curves: Curves, index: tuple[int | slice, ...]) -> tuple[Array, Array]:
    """Return lower and upper edge of the predictive band, [..., point].

    Args:
        curves: With a predictive deviation.
        index: Of task and inner steps.
    """
    assert curves.deviation is not None, "the method predicts no distribution"
    half = BAND_DEVIATIONS * curves.deviation[index]
    return curves.curves[index] - half, curves.curves[index] + half


def _stroke(step: int, k: int, last: int) -> Stroke:
    """Return how the curve after an inner step looks: K strong, beyond K thin."""
    if step == k:
        return Stroke(ink=ramp_ink(step, k, last), width=2.5, smooth=True)
    width = 1.6 if step < k else 1.0
    return Stroke(ink=ramp_ink(step, k, last), width=width, smooth=True)


def value_limits_of(tasks: HeldOutTasks, curves: Curves | None, task: int) -> Limits:
    """Return limits that hold the task, and the curves as far as they are near it."""
    parts = (
        tasks.plotted_truth(task),
        tasks.support.plotted(task),
        tasks.query.plotted(task),
    )
    values = np.concatenate([y for _, y in parts])
    low, high = float(values.min()), float(values.max())
    if curves is None:
        return (low, high)
    least, most = tasks.plotted_range()
    reach = _REACH * (most - least)
    drawn = curves.curves[task]
    if curves.deviation is not None:
        drawn = np.stack(band_of(curves, (task,)))
    known = drawn[np.isfinite(drawn)]
    if len(known) == 0:
        return (low, high)
    return (
        max(min(low, float(known.min())), low - reach),
        min(max(high, float(known.max())), high + reach),
    )
