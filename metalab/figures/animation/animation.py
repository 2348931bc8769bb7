"""Animations: a figure at every inner step, or at moments of the outer loop.

Each frame is the figure itself, drawn of the run as it was; axes, ticks and their place in
the picture are those of all frames together, so that nothing moves but the data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metalab.analysis.gallery import Gallery
from metalab.engine.events import Curves
from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads
from metalab.figures.animation.choices import AnimationChoices, shown_steps
from metalab.figures.axes import log_axis
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import Call, Drawing
from metalab.figures.fonts import check_font
from metalab.figures.paint import AxisScale, paint, pixels, place_of, scales_of, styled
from metalab.figures.registry import figure_named
from metalab.runs.record.history import RunHistory

Picture = NDArray[np.uint8]
"""Red, green and blue, [row, column, 3]."""


def never() -> bool:
    """Return False: nobody gives up."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture before it is drawn.

    Attributes:
        history: What it shows.
        choices: How.
        text: Where in time it is.
    """

    history: RunHistory
    choices: FigureChoices
    text: str


class Animation:
    """The frames of an animation, drawn one by one when asked for.

    Thread: one at a time, as for everything that matplotlib draws.
    """

    def __init__(self, history: RunHistory, choices: AnimationChoices) -> None:
        """Work out which frames there are; nothing is drawn.

        Args:
            history: The run.
            choices: What and how.

        Raises:
            FigureError: The run lacks what is animated, or the font is not there.
        """
        self.choices = choices
        self.steps = shown_steps(history, choices)
        self._history = history
        self._size = choices.figure_size
        check_font(self._size.font)
        self._galleries: dict[int, Gallery] = {}
        self._fixed: tuple[Call, ...] | None = None

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.steps)

    def frame(self, index: int) -> Frame:
        """Return what a frame shows."""
        choices, step = self.choices.figure_choices, self.steps[index]
        if self.choices.sweep == "inner":
            last = self.steps[-1]
            return Frame(
                history=self._history,
                choices=replace(choices, inner_step=step),
                text=f"Inner step {step} of {last}",
            )
        return Frame(
            history=self._at(step),
            # Not those at shares of all steps made: these change from frame to frame.
            choices=replace(choices, num_earlier=1),
            text=f"Outer step {step:,}",
        )

    def _at(self, step: int) -> RunHistory:
        if self.choices.figure != "adaptation":
            return self._history.at(step)
        return self._history.at(step, curves=self._curves(step))

    def _curves(self, step: int) -> Curves:
        state = self._history.trail.at_or_before(step)
        assert state is not None, "frames stand at steps whose state is kept"
        config = self._history.config_at(step)
        use_threads(1)
        if id(config) not in self._galleries:
            # Whatever computed the run: curves alone need no compiled kernels.
            self._galleries[id(config)] = Gallery(config, provider=AUTODIFF)
        return self._galleries[id(config)].curves(state)

    def settle(self, given_up: Callable[[], bool] = never) -> bool:
        """Find the axes that hold every frame; the first picture would do it too.

        Args:
            given_up: Asked after each frame.

        Returns:
            Whether they are found, not given up.
        """
        if self._fixed is not None:
            return True
        scales: list[dict[str, AxisScale]] = []
        for index in range(len(self)):
            if given_up():
                return False
            with styled(self._size):
                figure = paint(self._drawing(index), self._size)
                scales.append(scales_of(figure))
        limits = [call for name in scales[0] for call in _limits(name, scales)]
        self._fixed = (*limits, *self._places(limits))
        return True

    def _drawing(self, index: int, fixed: tuple[Call, ...] = ()) -> Drawing:
        frame = self.frame(index)
        spec = figure_named(self.choices.figure)
        drawing = spec.draw(frame.history, frame.choices, self._size)
        stamp = Call(
            method="ax.set_title",
            arguments=(frame.text,),
            options={"loc": "right", "fontsize": self._size.small_text},
        )
        return replace(drawing, calls=(*drawing.calls, stamp, *fixed))

    def _places(self, limits: list[Call]) -> list[Call]:
        """Return the calls that keep axes where every frame has room for them.

        With the limits fixed only the legend's height differs: it is lowest with most
        lines and longest numbers, so the ends and the middle tell.
        """
        found: list[dict[str, NDArray[np.float64]]] = []
        for index in sorted({0, len(self) // 2, len(self) - 1}):
            with styled(self._size):
                figure = paint(self._drawing(index, tuple(limits)), self._size)
                found.append(place_of(figure))
        calls = [Call(method="fig.set_layout_engine", arguments=("none",))]
        for name in found[0]:
            ends = np.array([places[name] for places in found])
            left, bottom = ends[:, 0].max(), ends[:, 1].max()
            right, top = ends[:, 2].min(), ends[:, 3].min()
            box = [float(v) for v in (left, bottom, right - left, top - bottom)]
            calls.append(Call(method=f"{name}.set_position", arguments=(box,)))
        return calls

    def picture(self, index: int, *, dpi: float | None = None) -> Picture:
        """Draw a frame.

        Args:
            index: Which, from 0.
            dpi: Dots per inch; None takes the chosen ones.
        """
        self.settle()
        assert self._fixed is not None, "settled just now"
        size = self.choices.pixels
        if dpi is not None:
            width, height = (inches * dpi for inches in self._size.inches)
            size = (max(1, round(width)), max(1, round(height)))
        with styled(self._size):
            figure = paint(self._drawing(index, self._fixed), self._size)
            return pixels(figure, size)

    def pictures(self) -> Iterator[Picture]:
        """Draw every frame, in order."""
        for index in range(len(self)):
            yield self.picture(index)


def _limits(name: str, scales: list[dict[str, AxisScale]]) -> list[Call]:
    """Return the calls for limits that hold every frame; none if they never differ."""
    own = [frame[name] for frame in scales]
    x, y = _hull([scale.x for scale in own]), _hull([scale.y for scale in own])
    logarithmic = [scale for scale in own if scale.log_y]
    calls: list[Call] = []
    if any(scale.x != x for scale in own):
        calls.append(Call(method=f"{name}.set_xlim", arguments=x))
    if logarithmic:
        # Of nearly equal values a figure thinks that no logarithm is needed.
        low, high = _hull([scale.y for scale in own if scale.y[0] > 0])
        calls += log_axis(low, high)
    elif any(scale.y != y for scale in own):
        calls.append(Call(method=f"{name}.set_ylim", arguments=y))
    return calls


def _hull(ends: list[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in ends), max(high for _, high in ends)
