"""The kinds of file a figure can become. Imports no matplotlib."""

from dataclasses import dataclass
from pathlib import Path

from metalab.figures.errors import FigureError


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFormat:
    """A kind of file.

    Attributes:
        suffix: With the dot, lower case.
        title: One line for menus.
        sized: Whether the size preset matters.
    """

    suffix: str
    title: str
    sized: bool = True


FORMATS = {
    entry.suffix: entry
    for entry in (
        FigureFormat(suffix=".pdf", title="PDF, vector"),
        FigureFormat(suffix=".svg", title="SVG, vector"),
        FigureFormat(suffix=".png", title="PNG, pixels"),
        FigureFormat(suffix=".csv", title="CSV, the data", sized=False),
        FigureFormat(suffix=".py", title="Python script with its CSV"),
    )
}
"""Formats by suffix."""

DPI_RANGE = (30, 1200)
"""Admissible dots per inch of a PNG."""


def format_of(path: Path) -> FigureFormat:
    """Return the format that a file's suffix asks for.

    Raises:
        FigureError: No format has that suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise FigureError(
            f"the suffix of {path.name!r} is {path.suffix!r}; allowed: "
            f"{', '.join(FORMATS)}"
        )
    return FORMATS[suffix]


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files that a figure becomes: a script comes with its data beside it."""
    if path.suffix.lower() == ".py":
        return path, path.with_suffix(".csv")
    return (path,)
