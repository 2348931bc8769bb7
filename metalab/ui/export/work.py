"""Background work of the export dialog. Imports no Qt."""

from pathlib import Path
from typing import NamedTuple

from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.fonts import font_families
from metalab.figures.looking import Looking, sight_of
from metalab.figures.registry import figure_named
from metalab.figures.render import caption_of, encode, render
from metalab.figures.sights import Sight, Standpoint
from metalab.figures.sizes import FigureSize


class FigureRequest(NamedTuple):
    """A figure that is wanted; the background thread needs nothing else."""

    figure: str
    seen: Sight | Standpoint | None
    size: FigureSize
    choices: FigureChoices
    dpi: float

    def sight(self) -> Sight:
        """Return what the figure is drawn from: computed, where that takes no time.

        Raises:
            UserError: There is nothing of the kind.
        """
        spec = figure_named(self.figure)
        if self.seen is not None and not isinstance(self.seen, Standpoint):
            return self.seen
        if spec.costly or self.seen is None:
            raise FigureError(
                f"this figure is of what the page {spec.page.capitalize()} shows, which "
                "has nothing of this run yet: open that page first"
            )
        # Imported here, in the background.

        return sight_of(spec, self.seen, Looking())


class Preview(NamedTuple):
    """A figure for the screen, and what could stand below it."""

    png: bytes
    caption: str


class Copy(NamedTuple):
    """A figure for the clipboard."""

    png: bytes
    svg: bytes


def make_preview(request: FigureRequest) -> Preview:
    """Return a figure as pixels, with its caption.

    Raises:
        UserError: It cannot be drawn.
    """
    # Imported here, in the background: matplotlib takes a second.

    figure, _, size, choices, dpi = request
    sight = request.sight()
    caption = caption_of(figure, sight, size=size, choices=choices)
    png = encode(figure, sight, ".png", size=size, choices=choices, dpi=dpi)
    return Preview(png, caption)


def make_copy(request: FigureRequest) -> Copy:
    """Return a figure as pixels and as vectors.

    Raises:
        UserError: It cannot be drawn.
    """
    figure, _, size, choices, dpi = request
    sight = request.sight()
    png = encode(figure, sight, ".png", size=size, choices=choices, dpi=dpi)
    return Copy(png, encode(figure, sight, ".svg", size=size, choices=choices))


def save_file(request: FigureRequest, path: Path) -> tuple[Path, ...]:
    """Write a figure in the format of a path's suffix; return what was written.

    Raises:
        UserError: It cannot be drawn or written.
    """
    figure, _, size, choices, dpi = request
    sight = request.sight()
    return render(figure, sight, path, size=size, choices=choices, dpi=dpi)


def list_fonts() -> tuple[str, ...]:
    """Return the families that figures can be written in."""
    return font_families()
