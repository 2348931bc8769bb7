"""What the animation dialog has done in the background; nothing here touches Qt."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from metalab.figures.animation_choices import AnimationChoices
from metalab.runs.background import GiveUp

if TYPE_CHECKING:
    from metalab.figures.animation import Animation
    from metalab.runs.history import RunHistory

_SHARES = {".gif": 0.25, ".webp": 0.25, ".mp4": 0.2, ".png": 1.05}
"""What a frame of a film takes, of what it takes alone: most of it does not change."""


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


class FrameShown(NamedTuple):
    """A frame for the screen.

    Attributes:
        content: Red, green and blue bytes, row by row.
        width: In pixels.
        height: In pixels.
        text: Where in time the frame is.
        frame_bytes: What it takes as a file of its own, at the chosen resolution.
    """

    content: bytes
    width: int
    height: int
    text: str
    frame_bytes: float


class FrameMaker:
    """Draws frames of a run, and keeps the axes of what was looked at last.

    Thread: one job at a time.
    """

    def __init__(self, history: "RunHistory") -> None:
        """Begin without an animation."""
        self._history = history
        self._animation: Animation | None = None

    def show(self, request: FrameRequest) -> FrameShown | None:
        """Draw a frame; None if nobody wants it any more.

        Raises:
            FigureError: It cannot be drawn.
        """
        # Imported here, in the background: matplotlib and torch take seconds.
        from metalab.figures.animation import Animation  # noqa: PLC0415
        from metalab.figures.animation_formats import png_size  # noqa: PLC0415

        animation = self._animation
        if animation is None or animation.choices != request.choices:
            animation = Animation(self._history, request.choices)
            if not animation.settle(request.give_up):
                return None
            self._animation = animation
        number = min(request.number, len(animation) - 1)
        picture = animation.picture(number, dpi=request.dpi)
        height, width, _ = picture.shape
        # Of lines and letters the edges cost: as many more as the frame is wider.
        scale = request.choices.pixels[0] / width
        return FrameShown(
            content=picture.tobytes(),
            width=width,
            height=height,
            text=animation.frame(number).text,
            frame_bytes=png_size(picture) * scale,
        )


def estimated_bytes(frame_bytes: float, count: int, suffix: str) -> float:
    """Return about how large a file becomes.

    Args:
        frame_bytes: What one frame takes as a file of its own.
        count: How many frames.
        suffix: Of the format.
    """
    return frame_bytes * (1 + (count - 1) * _SHARES[suffix])


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
    from metalab.figures.animation_file import (  # noqa: PLC0415 - as above
        target_of,
        write_animation,
    )

    written = write_animation(
        path, history, choices, progress=progress, cancelled=give_up
    )
    return target_of(path) if written else None
