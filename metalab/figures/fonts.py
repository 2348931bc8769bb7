"""The fonts that figures can have. Imports matplotlib, which looks for them once."""

import difflib
from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from metalab.figures.errors import FigureError
from metalab.figures.sizes import DEFAULT_FONT

_MOST_NEAR = 3
_NORMAL = 400
_NEEDED = frozenset("abcxyzABCXYZ0123456789()+=,.:\N{MINUS SIGN}")
"""Letters without which numbers and axes cannot be written: formulas take no other
font's."""

_LIKE = {
    "times": ("Times New Roman", "Nimbus Roman", "Liberation Serif", "STIXGeneral"),
    "helvetica": ("Arial", "Nimbus Sans", "Liberation Sans", "DejaVu Sans"),
    "arial": ("Helvetica", "Nimbus Sans", "Liberation Sans", "DejaVu Sans"),
    "courier": ("Courier New", "Nimbus Mono PS", "Liberation Mono", "DejaVu Sans Mono"),
    "palatino": ("Palatino Linotype", "P052", "TeX Gyre Pagella", "DejaVu Serif"),
    "computer modern": ("CMU Serif", "Latin Modern Roman", "STIXGeneral"),
}
"""Families that look like well-known ones, by how those begin, in lower case."""


@cache
def _faces() -> dict[str, str]:
    """Return the file of each family's ordinary face.

    Of collections (.ttc) matplotlib reads the first font alone, whatever its name: they
    are left out.
    """
    return {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.fname.lower().endswith((".ttf", ".otf"))
        and entry.style == "normal"
        and entry.weight == _NORMAL
        # It has a box for every letter.
        and not entry.name.startswith("Last Resort")
    }


@cache
def _is_complete(path: str) -> bool:
    """Return whether a font file can be read and has the letters of a figure."""
    try:
        letters = FT2Font(path).get_charmap()
    except (OSError, RuntimeError):
        # Bitmaps, or a file that has gone since matplotlib looked.
        return False
    return all(ord(letter) in letters for letter in _NEEDED)


@cache
def font_families() -> tuple[str, ...]:
    """Return the families that figures can be written in, the default one first."""
    found = {name for name, path in _faces().items() if _is_complete(path)}
    return (DEFAULT_FONT, *sorted(found - {DEFAULT_FONT}, key=str.casefold))


def check_font(family: str) -> None:
    """Refuse a family that is not there: matplotlib would take another in silence.

    Raises:
        FigureError: It is not there, or cannot write a figure; the message names others.
    """
    path = _faces().get(family)
    if path is not None and _is_complete(path):
        return
    known = font_families()
    if path is not None:
        raise FigureError(
            f"font is {family!r}, which lacks letters or signs that figures need; "
            f"allowed are others, such as {', '.join(known[:4])}"
        )
    near = _near(family, known)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"allowed: a family that is installed, such as {', '.join(known[:4])}"
    )
    raise FigureError(f"font is {family!r}, which is not installed here; {hint}")


def _near(family: str, known: Sequence[str]) -> list[str]:
    """Return families that are written or look like one: first those that hold its name."""
    wanted, lower = family.casefold().strip(), {name.casefold(): name for name in known}
    holding = [name for name in lower if wanted and wanted in name]
    alike = next(
        (names for like, names in _LIKE.items() if wanted.startswith(like)), ()
    )
    written = difflib.get_close_matches(wanted, lower, n=_MOST_NEAR, cutoff=0.5)
    found = [*holding, *(name.casefold() for name in alike), *written]
    near = dict.fromkeys(lower[name] for name in found if name in lower)
    return list(near)[:_MOST_NEAR]
