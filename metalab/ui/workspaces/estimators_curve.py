"""Relative error of the estimators against the number of inner steps."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.runs.estimating import Measured
from metalab.ui.limits import value_limits
from metalab.ui.marks import Dots, Stroke
from metalab.ui.painting import FixedInk, Ink
from metalab.ui.plot_widget import Plot
from metalab.ui.theme import Theme
from metalab.ui.views.header import PanelHeader
from metalab.ui.workspaces.estimators_table import colour_of, dashes_of

if TYPE_CHECKING:
    from metalab.engine.events import Array

_MOST_LINES = 16
_FLOOR = 1e-8
"""Below, the error is rounding."""


class ErrorCurve(QWidget):
    """One line an estimator of the run's own problem; the chosen K is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = PanelHeader(self.tr("Relative error against K"), self)
        self.header.copy.hide()
        self.plot = Plot(
            x_label=self.tr("Inner steps K"),
            y_label=self.tr("Relative error"),
            whole_x=True,
            parent=self,
        )
        self.plot.setAccessibleName(self.header.title)
        self.plot.set_log_y(log=True)
        inks = [FixedInk(value=colour_of(index)) for index in range(_MOST_LINES)]
        self._lines = [
            self.plot.line(
                Stroke(ink=ink, width=1.8, dashes=dashes_of(index), smooth=True), z=2
            )
            for index, ink in enumerate(inks)
        ]
        self._dots = [self.plot.points(Dots(fill=ink, size=6), z=3) for ink in inks]
        self._chosen = self.plot.vertical_line(Stroke(ink=Ink(role="accent")), z=1)
        self.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.plot.fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.plot, 1)

    def set_theme(self, theme: Theme) -> None:
        """Take a theme's colours."""
        for part in (self.header, self.plot):
            part.set_theme(theme)

    def show_rows(
        self, rows: tuple[Measured, ...], listed: tuple[Measured, ...]
    ) -> None:
        """Draw errors.

        Args:
            rows: At every K that has been measured.
            listed: Those of the table, whose places give the colours.
        """
        drawn: list[Array] = []
        none: Array = np.empty(0)
        for index, (line, dots) in enumerate(zip(self._lines, self._dots, strict=True)):
            found: list[Measured] = []
            if index < len(listed) and listed[index].problem == "own":
                found = [r for r in rows if _is_same(r, listed[index])]
            found.sort(key=_num_steps)
            x = np.array([float(row.num_inner_steps) for row in found])
            y = np.array([max(row.relative_error, _FLOOR) for row in found])
            line.set_data(*((x, y) if len(x) else (none, none)))
            dots.set_data(*((x, y) if len(x) else (none, none)))
            drawn.append(y)
        steps = [row.num_inner_steps for row in rows]
        limits = value_limits(drawn, log=True, trimmed=False)
        self.plot.set_limits((0.0, float(max(steps, default=1))), limits)
        chosen = listed[0].num_inner_steps if listed else None
        self._chosen.show_at(None if chosen is None else float(chosen))


def _is_same(row: Measured, other: Measured) -> bool:
    return (row.name, row.problem) == (other.name, other.problem)


def _num_steps(row: Measured) -> int:
    return row.num_inner_steps
