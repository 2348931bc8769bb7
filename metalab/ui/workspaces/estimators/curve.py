"""Relative error of the estimators against the number of inner steps."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.analysis.comparison import Measured
from metalab.figures.estimator_looks import look_of
from metalab.ui.plot.limits import value_limits
from metalab.ui.plot.marks import Curve, Dots, PointMarks, Stroke
from metalab.ui.plot.painting import FixedInk, Ink
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.widgets.header import PanelHeader

if TYPE_CHECKING:
    from metalab.engine.events import Array

_FLOOR = 1e-8
"""Below, the error is rounding."""


class ErrorCurve(QWidget):
    """One line an estimator of the run's own problem; the chosen K is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = PanelHeader("Relative error against K", self)
        self.header.copy.hide()
        self.plot = Plot(
            x_label="Inner steps K",
            y_label="Relative error",
            whole_x=True,
            parent=self,
        )
        self.plot.setAccessibleName(self.header.title)
        self.plot.set_log_y(log=True)
        self.marks: dict[str, tuple[Curve, PointMarks]] = {}
        self._chosen = self.plot.vertical_line(Stroke(ink=Ink(role="accent")), z=1)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.plot, 1)

    def _marks_of(self, name: str) -> tuple[Curve, PointMarks]:
        """Return line and marks of an estimator; they are made once."""
        if name not in self.marks:
            look = look_of(name)
            ink = FixedInk(value=look.colour)
            line = Stroke(ink=ink, width=1.8, dashes=look.dashes, smooth=True)
            dots = Dots(fill=ink, size=6.5, mark=look.mark)
            made = self.plot.line(line, z=2), self.plot.points(dots, z=3)
            self.marks[name] = made
        return self.marks[name]

    def show_rows(self, rows: tuple[Measured, ...], chosen: int) -> None:
        """Draw errors.

        Args:
            rows: At every K that has been measured.
            chosen: K of the table.
        """
        own = [row for row in rows if row.problem == "own"]
        none: Array = np.empty(0)
        for name in self.marks.keys() - {row.name for row in own}:
            for mark in self.marks[name]:
                mark.set_data(none, none)
        drawn: list[Array] = []
        for name in dict.fromkeys(row.name for row in own):
            found = sorted((r for r in own if r.name == name), key=_num_steps)
            x = np.array([float(row.num_inner_steps) for row in found])
            y = np.array([max(row.relative_error, _FLOOR) for row in found])
            for mark in self._marks_of(name):
                mark.set_data(x, y)
            drawn.append(y)
        steps = [row.num_inner_steps for row in rows]
        limits = value_limits(drawn, log=True, trimmed=False)
        self.plot.set_limits((0.0, float(max(steps, default=1))), limits)
        self._chosen.show_at(float(chosen) if rows else None)


def _num_steps(row: Measured) -> int:
    return row.num_inner_steps
