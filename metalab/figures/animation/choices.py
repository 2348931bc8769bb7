"""Choices about an animation, and what follows without drawing. Imports no matplotlib."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metalab.engine.events import Array
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.sizes import DEFAULT_FONT, FigureSize, styled_size

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

SWEEPS = {
    "inner": ("adaptation", "inner-loss"),
    "outer": ("adaptation", "inner-loss", "losses"),
}
"""Which figures change along which time."""

FORMATS = {
    ".gif": "GIF",
    ".webp": "WebP",
    ".mp4": "MP4",
    ".png": "PNG frames in a folder",
}
"""Titles by suffix."""

FRAMES_RANGE = (2, 600)
FPS_RANGE = (1, 60)
HOLD_RANGE = (0.0, 60.0)
DPI_RANGE = (30, 600)

_GIF_SECOND = 100
_SECOND = 1000
"""Smallest units of time in a second: a GIF counts hundredths, the others enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationChoices:
    """What is animated, and how.

    Attributes:
        figure: Name of the figure, one of `SWEEPS`.
        sweep: "inner" or "outer".
        first: First step that is shown: inner steps or outer steps, as swept.
        last: Last step that is shown; None takes the last one there is.
        num_frames: Most frames; of more steps, those nearest to even places on the axis
            that is drawn are shown, each once.
        fps: Frames a second.
        hold_first: How much longer the first frame stands, in seconds.
        hold: How much longer the last frame stands, in seconds.
        dpi: Dots per inch.
        size: Name of a size preset.
        width: In mm; None takes the preset's.
        font: Family of the text.
        font_size: Of axis labels, in points; None takes the preset's.
        line_width: Of an ordinary line, in points; None takes the preset's.
        figure_choices: What was chosen about the figure.

    Raises:
        FigureError: A choice is not admissible.
    """

    figure: str = "adaptation"
    sweep: str = "inner"
    first: int = 0
    last: int | None = None
    num_frames: int = 60
    fps: int = 6
    hold_first: float = 0.5
    hold: float = 1.0
    dpi: int = 150
    size: str = "single"
    width: float | None = None
    font: str = DEFAULT_FONT
    font_size: float | None = None
    line_width: float | None = None
    figure_choices: FigureChoices = field(default_factory=FigureChoices)

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.sweep not in SWEEPS:
            raise FigureError(f"sweep is {self.sweep!r}; allowed: {', '.join(SWEEPS)}")
        if self.figure not in SWEEPS[self.sweep]:
            raise FigureError(
                f"figure is {self.figure!r}; allowed with sweep {self.sweep!r}: "
                f"{', '.join(SWEEPS[self.sweep])}"
            )
        _ = self.figure_size
        for name, value, (low, high) in (
            ("num_frames", self.num_frames, FRAMES_RANGE),
            ("fps", self.fps, FPS_RANGE),
            ("hold_first", self.hold_first, HOLD_RANGE),
            ("hold", self.hold, HOLD_RANGE),
            ("dpi", self.dpi, DPI_RANGE),
        ):
            if not low <= value <= high:
                raise FigureError(f"{name} is {value:g}; allowed: {low:g} to {high:g}")
        if self.first < 0:
            raise FigureError(f"first is {self.first}; allowed: 0 or more")
        if self.last is not None and self.last <= self.first:
            raise FigureError(
                f"last is {self.last:,}; allowed: above the first step, {self.first:,}"
            )

    @property
    def figure_size(self) -> FigureSize:
        """The size with what was chosen otherwise.

        Raises:
            FigureError: No preset has that name, or a number is not admissible.
        """
        return styled_size(
            self.size,
            width=self.width,
            font=self.font,
            font_size=self.font_size,
            line_width=self.line_width,
        )

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of a frame; even, as video wants them."""
        width, height = (
            2 * round(inches * self.dpi / 2) for inches in self.figure_size.inches
        )
        return width, height

    def seconds(self, count: int) -> float:
        """Return how long so many frames last."""
        return count / self.fps + self.hold_first + self.hold

    def durations(self, count: int, suffix: str) -> list[int]:
        """Return how long each of some frames stands, in ms, as a format can tell.

        Rounded so that no error adds up: the whole lasts what it should.

        Raises:
            FigureError: The format cannot be as fast.
        """
        if suffix == ".gif" and self.fps > _GIF_SECOND // 2:
            # Of less than two hundredths, viewers make ten.
            raise FigureError(
                f"fps is {self.fps}; allowed in a GIF: 1 to {_GIF_SECOND // 2}"
            )
        unit = _GIF_SECOND if suffix == ".gif" else _SECOND
        ends = np.arange(1, count + 1) / self.fps + self.hold_first
        ends[-1] += self.hold
        whole = np.diff(np.round(ends * unit), prepend=0.0)
        return [int(ticks) * (_SECOND // unit) for ticks in whole]


def known_steps(history: "RunHistory", sweep: str, figure: str) -> Array:
    """Return the steps at which a frame can stand, ascending, [step].

    Args:
        history: The run.
        sweep: "inner" or "outer".
        figure: Name of a figure of that sweep.

    Raises:
        FigureError: The run lacks what the figure shows.
    """
    if sweep == "inner":
        return np.arange(_num_inner_points(history, figure), dtype=float)
    steps, what = {
        "adaptation": (history.trail.steps, "kept training states"),
        "inner-loss": (history.evaluations.steps, "held-out evaluations"),
        "losses": (history.steps, "outer steps"),
    }[figure]
    if len(steps) < FRAMES_RANGE[0]:
        raise FigureError(
            f"an animation of {figure!r} over outer steps needs 2 or more {what}; this "
            f"run has {len(steps)}"
        )
    return steps


def _num_inner_points(history: "RunHistory", figure: str) -> int:
    if figure == "adaptation" and history.curves is not None:
        return history.curves.curves.shape[1]
    if figure == "inner-loss" and len(history.evaluations):
        return history.evaluations.query_mean.shape[1]
    what = "curves of held-out tasks" if figure == "adaptation" else "an evaluation"
    raise FigureError(
        f"an animation of {figure!r} over inner steps needs {what}; this run has none yet"
    )


def shown_steps(history: "RunHistory", choices: AnimationChoices) -> list[int]:
    """Return the step of each frame: inner steps or outer steps, as swept.

    Raises:
        FigureError: The run lacks what is animated, or has fewer than two such steps in
            the chosen range.
    """
    known = known_steps(history, choices.sweep, choices.figure)
    low, high = int(known[0]), int(known[-1])
    last = high if choices.last is None else choices.last
    for name, value in (("first", choices.first), ("last", last)):
        # What comes before the first known step, such as 0, is no mistake.
        if value > high:
            raise FigureError(
                f"{name} is {value:,}; allowed: {low:,} to {high:,}, the "
                f"{choices.sweep} steps of this run"
            )
    kept = known[(known >= choices.first) & (known <= last)]
    if len(kept) < FRAMES_RANGE[0]:
        raise FigureError(
            f"first is {choices.first:,} and last is {last:,}; allowed: a range with 2 or "
            f"more {choices.sweep} steps that can be shown, it has {len(kept)}"
        )
    picked = _even(_places(history, choices, kept), choices.num_frames)
    return [int(step) for step in kept[picked]]


def _places(history: "RunHistory", choices: AnimationChoices, steps: Array) -> Array:
    """Return where steps stand on the axis that is drawn, ascending, [step]."""
    if choices.figure == "losses" and choices.figure_choices.x == "training time":
        return history.seconds[np.searchsorted(history.steps, steps)]
    # Tasks seen are in proportion.
    return steps


def _even(places: Array, count: int) -> NDArray[np.intp]:
    """Return which places are nearest to even ones, each once, [at most count]."""
    if len(places) <= count:
        return np.arange(len(places))
    wanted = np.linspace(places[0], places[-1], count)
    above = np.searchsorted(places, wanted).clip(1, len(places) - 1)
    nearer_below = wanted - places[above - 1] <= places[above] - wanted
    return np.unique(np.where(nearer_below, above - 1, above))
