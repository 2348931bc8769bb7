"""What the export dialog has done in the background; nothing here touches Qt."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from metalab.figures.base import FigureChoices

if TYPE_CHECKING:
    from metalab.runs.history import RunHistory


class Request(NamedTuple):
    """A figure that is wanted; the background thread needs nothing else."""

    figure: str
    history: "RunHistory"
    size: str
    choices: FigureChoices
    dpi: float


class Preview(NamedTuple):
    """A figure for the screen, and what could stand below it."""

    png: bytes
    caption: str


class Copy(NamedTuple):
    """A figure for the clipboard."""

    png: bytes
    svg: bytes


def make_preview(request: Request) -> Preview:
    """Return a figure as pixels, with its caption.

    Raises:
        FigureError: It cannot be drawn.
    """
    # Imported here, in the background: matplotlib takes a second.
    from metalab.figures.render import caption_of, encode  # noqa: PLC0415

    figure, history, size, choices, dpi = request
    caption = caption_of(figure, history, size=size, choices=choices)
    png = encode(figure, history, ".png", size=size, choices=choices, dpi=dpi)
    return Preview(png, caption)


def make_copy(request: Request) -> Copy:
    """Return a figure as pixels and as vectors.

    Raises:
        FigureError: It cannot be drawn.
    """
    from metalab.figures.render import encode  # noqa: PLC0415 - as above

    figure, history, size, choices, dpi = request
    png = encode(figure, history, ".png", size=size, choices=choices, dpi=dpi)
    return Copy(png, encode(figure, history, ".svg", size=size, choices=choices))


def save_file(request: Request, path: Path) -> tuple[Path, ...]:
    """Write a figure in the format of a path's suffix; return what was written.

    Raises:
        FigureError: It cannot be drawn or written.
    """
    from metalab.figures.render import render  # noqa: PLC0415 - as above

    figure, history, size, choices, dpi = request
    return render(figure, history, path, size=size, choices=choices, dpi=dpi)
