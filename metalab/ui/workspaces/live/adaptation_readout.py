"""The values of an adaptation plot where the pointer is."""

import numpy as np

from metalab.engine.events import Curves, ProbeTasks
from metalab.ui.plot.plot_widget import Plot
from metalab.ui.plot.ticks import number_text
from metalab.ui.widgets.readout import Readout
from metalab.ui.workspaces.live.adaptation_words import values_at


class AdaptationReadout(Readout):
    """A box beside the crosshair: the true curve, and the chosen inner step."""

    def __init__(self, plot: Plot) -> None:
        """Stand in a plot, hidden at first."""
        super().__init__(plot)
        self._beside = plot

    def point_at(
        self,
        x: float | None,
        tasks: ProbeTasks | None,
        curves: Curves | None,
        *,
        task: int,
        step: int,
    ) -> None:
        """Show the values nearest to an x; hide without one, or without curves."""
        if x is None or tasks is None or curves is None:
            self._beside.show_crosshair(None)
            self.hide()
            return
        point = int(np.abs(tasks.grid - x).argmin())
        at = float(tasks.grid[point])
        rows = values_at(tasks, curves, task, step, point)
        self._beside.show_crosshair(at)
        self.show_beside(self._beside.place_of(at), f"x = {number_text(at)}", rows)
