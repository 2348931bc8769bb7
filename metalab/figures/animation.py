"""Animations: a figure at every inner step, or at states of the outer loop."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from metalab.engine.events import Array, Curves
from metalab.engine.gallery import Gallery
from metalab.figures.base import FigureChoices, FigureError
from metalab.figures.render import draw
from metalab.runs.history import EvaluationSeries, RunHistory

SWEEPS = {"inner": ("adaptation",), "outer": ("adaptation", "inner-loss", "losses")}
"""Which figures change along which time."""

FORMATS = {".gif": "GIF", ".webp": "WebP", ".png": "PNG frames", ".mp4": "MP4"}
MOST_FRAMES = 600
FPS_RANGE = (1, 60)

Progress = Callable[[int, int], None]
"""Told how many frames are drawn, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationChoices:
    """What is animated, and how.

    Attributes:
        figure: Name of the figure, one of `SWEEPS`.
        sweep: "inner" or "outer".
        num_frames: Most frames of an outer sweep.
        fps: Frames a second.
        hold: How long the last frame stands, in seconds.
        dpi: Dots per inch.
        size: Name of a size preset.
        figure_choices: What was chosen about the figure.

    Raises:
        FigureError: A choice is not admissible.
    """

    figure: str = "adaptation"
    sweep: str = "inner"
    num_frames: int = 60
    fps: int = 6
    hold: float = 1.0
    dpi: int = 150
    size: str = "single"
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
        for name, value, low, high in (
            ("num_frames", self.num_frames, 2, MOST_FRAMES),
            ("fps", self.fps, *FPS_RANGE),
            ("hold", self.hold, 0, 60),
            ("dpi", self.dpi, 30, 600),
        ):
            if not low <= value <= high:
                raise FigureError(f"{name} is {value:g}; allowed: {low} to {high}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        history: What it shows.
        text: Where in time it is.
    """

    history: RunHistory
    text: str


def frames_of(history: RunHistory, choices: AnimationChoices) -> list[Frame]:
    """Return what the frames show, in order; the last one shows everything.

    Raises:
        FigureError: The run lacks what is animated.
    """
    curves = history.curves
    if curves is None:
        raise FigureError("an animation needs curves of held-out tasks; there are none")
    if choices.sweep == "inner":
        last = curves.curves.shape[1] - 1
        return [
            Frame(
                history=replace(history, curves=_up_to(curves, step)),
                text=f"inner step {step} of {last}",
            )
            for step in range(last + 1)
        ]
    states = history.trail.states()
    if len(states) < 2:
        raise FigureError("an outer sweep needs two kept states; this run has fewer")
    picked = np.unique(np.linspace(0, len(states) - 1, choices.num_frames).round())
    galleries: dict[tuple[object, ...], Gallery] = {}
    frames: list[Frame] = []
    for index in picked.astype(int):
        state = states[index]
        edits = tuple(edit for edit in history.edits if edit.step < state.step)
        if edits not in galleries:
            # Whatever computed the run: curves alone need no compiled kernels.
            galleries[edits] = Gallery(history.config, edits=edits, provider="autodiff")
        shown = galleries[edits].curves(state)
        frames.append(
            Frame(
                history=replace(_cut(history, state.step), curves=shown),
                text=f"outer step {state.step:,}",
            )
        )
    if choices.figure == "losses":
        # Before the first outer step there is no loss.
        frames = [frame for frame in frames if len(frame.history.steps)]
    return frames


def _up_to(curves: Curves, step: int) -> Curves:
    """Return curves of which those after an inner step are not drawn."""
    shown = np.array(curves.curves)
    shown[:, step + 1 :] = np.nan
    return replace(curves, curves=shown)


def _cut(history: RunHistory, step: int) -> RunHistory:
    """Return a history as it was after so many outer steps, its curves apart."""
    kept = slice(0, int(np.searchsorted(history.steps, step, side="right")))
    rows = history.evaluations.rows()
    evaluations = rows[history.evaluations.steps <= step]
    return replace(
        history,
        step=step,
        steps=history.steps[kept],
        seconds=history.seconds[kept],
        metrics={name: column[kept] for name, column in history.metrics.items()},
        sums={
            n: (total[kept], count[kept]) for n, (total, count) in history.sums.items()
        },
        evaluations=EvaluationSeries.from_rows(evaluations),
        diverged=None,
    )


def pictures(
    history: RunHistory, choices: AnimationChoices
) -> Iterator[tuple[Image.Image, int]]:
    """Yield each frame as pixels, and how many there are; the axes never move.

    Raises:
        FigureError: The run lacks what is animated.
    """
    frames = frames_of(history, choices)
    limits = _limits(frames, choices)
    for frame in frames:
        figure = _drawn(frame, choices)
        for axes, (x, y, scale) in zip(figure.axes, limits, strict=False):
            # Of few values, a figure may think that no logarithm is needed.
            axes.set_yscale(scale)
            axes.set_xlim(x)
            axes.set_ylim(y)
        figure.text(0.995, 0.008, frame.text, ha="right", va="bottom", fontsize="small")
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=choices.dpi, facecolor="white")
        yield Image.open(content).convert("RGB"), len(frames)


def _drawn(frame: Frame, choices: AnimationChoices) -> Figure:
    return draw(
        choices.figure,
        frame.history,
        size=choices.size,
        choices=choices.figure_choices,
    )


Limits = tuple[tuple[float, float], tuple[float, float], str]


def _limits(frames: list[Frame], choices: AnimationChoices) -> list[Limits]:
    """Return limits of each axes that hold the first, the middle and the last frame."""
    looked_at = [frames[0], frames[len(frames) // 2], frames[-1]]
    figures = [_drawn(frame, choices) for frame in looked_at]
    found: list[Limits] = []
    for index in range(len(figures[-1].axes)):
        parts = [figure.axes[index] for figure in figures if index < len(figure.axes)]
        x = np.array([axes.get_xlim() for axes in parts])
        y = np.array([axes.get_ylim() for axes in parts])
        found.append((_hull(x), _hull(y), figures[-1].axes[index].get_yscale()))
    return found


def _hull(ends: Array) -> tuple[float, float]:
    return float(ends[:, 0].min()), float(ends[:, 1].max())
