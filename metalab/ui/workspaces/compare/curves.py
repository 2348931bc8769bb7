"""Plot of the Compare page: held-out loss over training, a line a method."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.engine.events import Array
from metalab.experiment.loss_words import with_unit
from metalab.figures.training_axis import TRAINING_AXES
from metalab.studies.comparison_curves import CurveChoices, MethodCurve, method_curve
from metalab.ui.plot.decimate import decimate
from metalab.ui.plot.marks import Band, Curve, Stroke
from metalab.ui.plot.painting import Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.workspaces.compare.looks import (
    clear,
    dashes_of,
    faint,
    ink_of,
)

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison

_PALE = 0.55
_BAND = 0.22
_EMPTY: Array = np.empty(0)


class CurvesView(QWidget):
    """Means of methods, with their bands or their seeds.

    Attributes:
        plot: The axes.
        legend: The methods.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend = Legend(self)
        self.plot = Plot(
            x_label="Outer step", y_label="Held-out query loss", parent=self
        )
        self.plot.setAccessibleName("Held-out loss over training, a line a method")
        self._means: list[Curve] = []
        self._bands: list[Band] = []
        self._seeds: list[Curve] = []
        self._lines: list[MethodCurve] = []
        self._choices = CurveChoices()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self.plot.range_changed.connect(self._on_range_changed)
        self._columns = 0

    def show_comparison(
        self, found: "Comparison | None", choices: CurveChoices
    ) -> None:
        """Draw methods; None for nothing.

        Raises:
            ComparisonError: A run does not tell what the axis needs.
        """
        groups = () if found is None else found.groups
        self._lines = [method_curve(group, choices.x) for group in groups]
        self._choices = choices
        unit = "1" if found is None else found.unit
        axis = TRAINING_AXES[choices.x]
        self.plot.area.set_labels(axis.label, with_unit("Held-out query loss", unit))
        self.plot.set_log_y(log=choices.log_y and self._positive())
        self._make_room()
        self._draw()
        self._fit()
        self.legend.set_entries(
            *(
                Entry(swatch=Swatch.THICK, ink=ink_of(index), text=line.title)
                for index, line in enumerate(self._lines)
            )
        )

    def _positive(self) -> bool:
        losses = [y for line in self._lines for _, y in line.seeds]
        return all(not (y <= 0).any() for y in losses)

    def _make_room(self) -> None:
        """Make the items that are missing; those that are there are used again."""
        for index in range(len(self._means), len(self._lines)):
            ink = ink_of(index)
            self._bands.append(self.plot.band(clear(ink, _BAND), z=1))
            stroke = Stroke(ink=ink, width=2.0, dashes=dashes_of(index), smooth=True)
            self._means.append(self.plot.line(stroke, z=3))
        count = sum(len(line.seeds) for line in self._lines)
        while len(self._seeds) < count:
            self._seeds.append(self.plot.line(Stroke(ink=Ink(role="muted")), z=2))

    def _draw(self) -> None:
        self._columns = self.plot.num_columns
        band = self._choices.spread == "band"
        for index, mean in enumerate(self._means):
            line = self._lines[index] if index < len(self._lines) else None
            known = (_EMPTY, _EMPTY) if line is None else (line.x, line.mean)
            mean.set_data(*self._few(*known))
            edges = (_EMPTY, _EMPTY, _EMPTY)
            if line is not None and band:
                edges = (line.x, line.low, line.high)
            self._bands[index].set_data(*edges)
        self._draw_seeds(shown=not band)

    def _draw_seeds(self, *, shown: bool) -> None:
        place = 0
        for index, line in enumerate(self._lines):
            for x, losses in line.seeds:
                item = self._seeds[place]
                item.set_stroke(Stroke(ink=faint(ink_of(index), _PALE)))
                # A run that diverged is in no mean: its line is seen all the same.
                alone = len(line.x) == 0
                item.set_data(
                    *(self._few(x, losses) if shown or alone else (_EMPTY, _EMPTY))
                )
                place += 1
        for item in self._seeds[place:]:
            item.set_data(_EMPTY, _EMPTY)

    def _few(self, x: Array, y: Array) -> tuple[Array, Array]:
        return decimate(x, y, max(self._columns, 1))

    def _fit(self) -> None:
        ends = [x for line in self._lines for x, _ in line.seeds if len(x)]
        losses = [y[np.isfinite(y)] for line in self._lines for _, y in line.seeds]
        known = np.concatenate(losses) if losses else _EMPTY
        self.plot.forget_limits()
        if len(known) == 0 or not ends:
            self.plot.set_limits((0.0, 1.0), None)
            return
        last = max(float(x[-1]) for x in ends)
        low, high = float(known.min()), float(known.max())
        if high == low:
            high = low + max(abs(low), 1.0)
        self.plot.set_limits((0.0, last or 1.0), (low, high))
        self.plot.fit()

    def _on_range_changed(self) -> None:
        # As many points as there are columns: not at every pan.
        if self._lines and self.plot.num_columns > 2 * self._columns:
            self._draw()
