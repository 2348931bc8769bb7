"""Points that a person has written, pasted or loaded: what a text of numbers means.

There are several ways to write a list of points, and a text may be one in two of them:
"1,5; 2,5" is (1, 5) and (2, 5), or one point with decimal commas. So every way is tried.
What fits one of them is understood, and said in words; what fits two that differ, or
none, is refused.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CHARACTERS = 1_000_000
MOST_POINTS = 10_000
LARGEST = 1e6

Point = tuple[float, float]

_SPACES = str.maketrans(
    dict.fromkeys("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}", " ")
    | {"\N{MINUS SIGN}": "-"}
    | dict.fromkeys("\ufeff\u200b", "")
)
"""Signs that spreadsheets and browsers put where people read a blank, a minus or nothing."""

_QUOTED = re.compile(r"([\"'])([^\"'\n]*)\1")
_SEALED = "\x1f"
"""A comma within quotes: it parts no columns."""

_DIGITS = r"(?:[0-9]+(?:{0}[0-9]*)?|{0}[0-9]+)(?:[eE][+-]?[0-9]+)?"
_UNKNOWN = r"(?i:nan|inf|infinity)"
_WITH_POINT = re.compile(rf"[+-]?(?:{_DIGITS.format(r'[.]')}|{_UNKNOWN})")
_WITH_COMMA = re.compile(
    rf"[+-]?(?:[0-9]+(?:[,{_SEALED}][0-9]+)?(?:[eE][+-]?[0-9]+)?|{_UNKNOWN})"
)
_STRONG = re.compile(r"[,;\t]")
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPoints:
    """A text as it was understood.

    Attributes:
        points: x and y of each, in the order of the text.
        words: How the text was understood: "4 points, header 'x,y', decimal comma,
            separated by tabs".
    """

    points: tuple[Point, ...]
    words: str

    @property
    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Their x and y, [point] each."""
        x, y = np.array(self.points, dtype=np.float64).T
        return x, y


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A way to write points.

    Attributes:
        cells: What parts the numbers of a point.
        comma: Whether decimals follow a comma.
        semicolons: Whether a semicolon ends a point, as a new line does.
        every: Whether every number must have a decimal comma, lest three columns be
            taken for two.
        pairs: Whether all numbers of a line follow each other, x and y in turn. Nobody is
            understood so; but who may have meant it is asked.
    """

    cells: re.Pattern[str]
    comma: bool = False
    semicolons: bool = True
    every: bool = False
    pairs: bool = False


_SEMICOLON = re.compile(r"[ \t]*;[ \t]*")
_WAYS = (
    _Way(cells=re.compile(r"[ ]*,[ \t]*|[ ]*\t[ ]*|[ ]+")),
    _Way(cells=_SEMICOLON, semicolons=False),
    _Way(cells=_SEMICOLON, semicolons=False, comma=True),
    _Way(cells=re.compile(r"[ ]*\t[ ]*|[ ]+"), comma=True),
    _Way(cells=re.compile(r",[ \t]+"), comma=True, every=True),
    _Way(cells=re.compile(r"[ ]*,[ ]*"), comma=True, every=True),
    _Way(cells=_SEMICOLON, semicolons=False, comma=True, pairs=True),
)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    text: str


class _MisfitError(ValueError):
    """A text is not written in some way.

    Attributes:
        row: How many rows were, before the one that is not.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def read_points(
    text: str, *, largest: float = LARGEST, stored: bool = False
) -> WrittenPoints:
    """Return the points of a text, and how it was understood.

    A line, or what a semicolon ends, is a point: two numbers, parted by a comma, a tab,
    a semicolon or blanks, with decimal points or decimal commas. The first line may hold
    names instead, and lines that begin with # are passed over. A number in quotes is a
    number.

    Args:
        text: The text.
        largest: Magnitude of the largest number.
        stored: Whether it was read before, by what knew decimal points alone: of two
            ways to read it, that one is meant.

    Raises:
        ValueError: There are no points, or too many; a line is something else; the text
            can be read in two ways. One sentence, which begins with a verb or names the
            line.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"holds {len(text):,} characters; allowed: at most {MOST_CHARACTERS:,}"
        )
    plain = _QUOTED.sub(_unquoted, text.translate(_SPACES))
    found: list[WrittenPoints] = []
    misfits: list[_MisfitError] = []
    for way in _WAYS:
        try:
            found.append(_read(plain, way, largest))
        except _MisfitError as misfit:
            misfits.append(misfit)
    if not found:
        raise ValueError(str(max(misfits, key=lambda misfit: misfit.row)))
    first = found[0]
    other = next((f for f in found if f.points != first.points), None)
    if other is not None and not stored:
        raise ValueError(
            f"can be read in two ways, as {_shown(first.points)} and, with decimal "
            f"commas, as {_shown(other.points)}; write a blank behind each comma that "
            "parts x and y, or decimal points, or a first line x;y"
        )
    return first


def _unquoted(match: re.Match[str]) -> str:
    return match[2].replace(",", _SEALED)


def _read(text: str, way: _Way, largest: float) -> WrittenPoints:
    """Return the points of a text that is written in one way.

    Raises:
        _MisfitError: It is not.
    """
    rows = [row for row in _rows(text, way) if not row.text.startswith("#")]
    header = _header(rows[0].text) if rows else None
    if header is not None:
        rows = rows[1:]
    if not rows:
        raise _MisfitError(0, "holds no points; allowed: two numbers a line, x and y")
    points: list[Point] = []
    for number, row in enumerate(rows):
        points += _points(number, row, way, largest)
    if len(points) > MOST_POINTS:
        raise _MisfitError(
            len(rows), f"holds {len(points):,} points; allowed: at most {MOST_POINTS:,}"
        )
    words = [f"{len(points):,} point{'s' if len(points) > 1 else ''}"]
    if header is not None:
        words.append(f"header {header!r}")
    body = "\n".join(row.text for row in rows)
    sealed = _SEALED in body
    if way.comma and ("," in body or sealed):
        words.append("decimal comma")
    words.append(f"separated by {_separator(body, way)}")
    return WrittenPoints(points=tuple(points), words=", ".join(words))


def _rows(text: str, way: _Way) -> Iterator[_Row]:
    """Yield what may be a point, without empty ones, with its name for messages."""
    lines = text.splitlines()
    filled = sum(1 for line in lines if line.strip())
    for number, line in enumerate(lines, start=1):
        entries = line.split(";") if way.semicolons else [line]
        for place, entry in enumerate(entries, start=1):
            if entry.strip():
                name = f"entry {place}" if filled == 1 and ";" in text else None
                yield _Row(name or f"line {number}", entry.strip())


def _header(text: str) -> str | None:
    """Return a row of two names; None for any other."""
    names = [name for name in _STRONG.split(text) if name.strip()]
    if len(names) == 1:
        names = text.split()
    tokens = re.split(r"[,;\s]+", text)
    numbers = [
        token
        for token in tokens
        if _WITH_POINT.fullmatch(token) or _WITH_COMMA.fullmatch(token)
    ]
    if len(names) != 2 or numbers or any(_begins_like_number(name) for name in names):
        return None
    return " ".join(text.replace(_SEALED, ",").split())


def _begins_like_number(text: str) -> bool:
    """Return whether a name may be a number that is not understood, such as 1_000."""
    return text.strip()[:1] in tuple("0123456789+-.")


def _points(number: int, row: _Row, way: _Way, largest: float) -> list[Point]:
    cells = way.cells.split(row.text)
    pattern = _WITH_COMMA if way.comma else _WITH_POINT
    if way.comma:
        fits = all(pattern.fullmatch(cell) for cell in cells)
    else:
        fits = all(pattern.fullmatch(cell) and _SEALED not in cell for cell in cells)
    if way.every:
        fits = fits and all("," in cell or _SEALED in cell for cell in cells)
    count = len(cells)
    about = row.text.replace(_SEALED, ",")
    shown = about if len(about) <= _SHOWN else f"{about[:_SHOWN]}…"
    if not fits or (count != 2 and not (way.pairs and count >= 4 and count % 2 == 0)):
        many = ""
        if fits and count != 2:
            many = f", {count} value{'s' if count > 1 else ''}"
        raise _MisfitError(
            number, f"{row.name} is {shown!r}{many}; allowed: two numbers, x and y"
        )
    values = [
        float(cell.replace(",", ".").replace(_SEALED, ".") if way.comma else cell)
        for cell in cells
    ]
    if not all(abs(value) <= largest for value in values):
        # One row further than one that is no point: this says more.
        raise _MisfitError(
            number + 1,
            f"{row.name} is {shown!r}; allowed: numbers up to {largest:,.0f} in size",
        )
    return list(zip(values[::2], values[1::2], strict=True))


def _separator(body: str, way: _Way) -> str:
    """Return what parts x from y, in words."""
    if not way.semicolons:
        return "semicolons"
    if "," in body and (not way.comma or way.every):
        return "commas"
    return "tabs" if "\t" in body else "blanks"


def _shown(points: Sequence[Point], most: int = 2) -> str:
    """Return the first points, for a message."""
    written = [f"({x:g}, {y:g})" for x, y in points[:most]]
    if len(points) > most:
        written.append("…")
    return ", ".join(written)


def range_words(points: Sequence[Point]) -> str:
    """Return where points lie, in words: "x from 1 to 2"."""
    x = [point[0] for point in points]
    low, high = min(x), max(x)
    return f"x = {low:g}" if math.isclose(low, high) else f"x from {low:g} to {high:g}"
