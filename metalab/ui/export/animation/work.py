"""Background work of the animation dialog. Imports no Qt."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from metalab.figures.animation.animation import Animation
from metalab.figures.animation.choices import AnimationChoices
from metalab.figures.animation.file import target_of, write_animation
from metalab.figures.animation.formats import png_size
from metalab.runs.system.background_job import GiveUp

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

_SHARES = {".gif": 0.42, ".webp": 0.55, ".mp4": 0.43}
"""What films take, of their first frame and of what changes from frame to frame as PNG."""

_WHITE = 255


class FrameRequest(NamedTuple):
    """A frame that is wanted for the screen.

    Attributes:
        choices: Of the animation.
        number: Of the frame, from 0; beyond the last, the last is meant.
        dpi: Device pixels in an inch of it.
        give_up: Set when nobody looks at this animation any more.
    """

    choices: AnimationChoices
    number: int
    dpi: float
    give_up: GiveUp


class Weight(NamedTuple):
    """What frames take as PNG at the chosen resolution, in bytes.

    Attributes:
        frame: One frame by itself.
        change: What differs between two frames that follow each other.
    """

    frame: float
    change: float

    def of_file(self, num_frames: int, suffix: str) -> float:
        """Return about how large a file of so many frames becomes."""
        if suffix == ".png":
            return num_frames * self.frame
        return _SHARES[suffix] * (self.frame + (num_frames - 1) * self.change)


class FrameShown(NamedTuple):
    """A frame for the screen.

    Attributes:
        content: Red, green and blue bytes, row by row.
        width: In pixels.
        height: In pixels.
        text: Where in time the frame is.
        weight: What the frames of its animation take.
    """

    content: bytes
    width: int
    height: int
    text: str
    weight: Weight


class FrameMaker:
    """Draws frames of a run, and keeps the axes of what was looked at last.

    Thread: one job at a time.
    """

    def __init__(self, history: "RunHistory") -> None:
        """Begin without an animation."""
        self._history = history
        self._animation: Animation | None = None
        self._weight = Weight(0.0, 0.0)

    def show(self, request: FrameRequest) -> FrameShown | None:
        """Draw a frame; None if nobody wants it any more.

        Raises:
            FigureError: It cannot be drawn.
        """
        # Imported here, in the background: matplotlib and torch take seconds.

        animation = self._animation
        if animation is None or animation.choices != request.choices:
            animation = Animation(self._history, request.choices)
            if not animation.settle(request.give_up):
                return None
            self._weight = _weigh(animation, request.dpi)
            self._animation = animation
        number = min(request.number, len(animation) - 1)
        picture = animation.picture(number, dpi=request.dpi)
        height, width, _ = picture.shape
        return FrameShown(
            content=picture.tobytes(),
            width=width,
            height=height,
            text=animation.frame(number).text,
            weight=self._weight,
        )


def _weigh(animation: "Animation", dpi: float) -> Weight:
    """Weigh two frames in the middle, drawn for the screen."""
    middle = len(animation) // 2
    before, after = (animation.picture(i, dpi=dpi) for i in (middle - 1, middle))
    changed = after.copy()
    changed[(before == after).all(axis=2)] = _WHITE
    # Of lines and letters the edges cost: as many more as the frame is wider.
    scale = animation.choices.pixels[0] / after.shape[1]
    return Weight(scale * png_size(after), scale * png_size(changed))


def write_file(
    path: Path,
    history: "RunHistory",
    choices: AnimationChoices,
    progress: Callable[[int, int], None],
    give_up: GiveUp,
) -> Path | None:
    """Write an animation; return what was written, None if it was given up.

    Raises:
        FigureError: It cannot be drawn or written.
    """
    written = write_animation(
        path, history, choices, progress=progress, cancelled=give_up
    )
    return target_of(path) if written else None
