"""JSON and TOML from outside: bounded before anything reads it.

A text of a kilobyte can hold a number that takes minutes to print, tables so deep that
walking them ends the interpreter, or half a character that no terminal can show. All of it
is refused here, in one sentence, so that whoever reads the values deals with ordinary
numbers, texts, lists and tables. Imports no torch.
"""

import codecs
import json
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from metalab.core.errors import UserError

MOST_BYTES = 250_000
"""Of a text file; an experiment has some thousand, the longest lesson some ten thousand.
tomllib takes seconds for a megabyte of short lines."""

DEEPEST = 20
"""Tables within tables; an experiment has three."""

MOST_VALUES = 100_000

LARGEST_INTEGER = 2**63 - 1
"""By magnitude, as in TOML: a larger one could not be shown, stored or compared."""

_LOOKED_AT = 1000
"""Bytes that tell an encoding."""

_TOO_DEEP = f"holds more than {DEEPEST} tables or lists within each other"
_TOO_LARGE = "holds a whole number of more than 64 bits"

_KEY = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w\"'-]){_KEY}(?:[ \t]*+\.[ \t]*+{_KEY}){{{DEEPEST}}}")
"""A dotted key of more tables than may be: tomllib takes quadratic time for it."""


class PlainDataError(UserError):
    """A text that is not used; the message says why, without naming it."""


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """Return a small text file as text.

    Raises:
        PlainDataError: It is no ordinary file (a device has no end, a pipe may have no
            writer), is too long, or no text.
        OSError: It cannot be read.
    """
    # Asked before it is opened: opening a pipe waits for a writer.
    if not stat.S_ISREG(path.stat().st_mode):
        raise PlainDataError("is not an ordinary file")
    with path.open("rb") as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise PlainDataError(f"has more than {most_bytes:,} bytes")
    return decoded(data)


def decoded(data: bytes) -> str:
    """Return the text of bytes in UTF-8 or UTF-16, with a byte order mark or without.

    Windows' editors and its shell write UTF-16. Without a mark it is known by its zeros,
    which no text has.

    Raises:
        PlainDataError: It is neither.
    """
    try:
        return data.decode(_encoding_of(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise PlainDataError("is not a text in UTF-8 or UTF-16") from error


def _encoding_of(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:_LOOKED_AT]
    zeros = [start[parity::2].count(0) for parity in (0, 1)]
    if max(zeros) > len(start) // 4 and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return "utf-8"


def from_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        PlainDataError: It is not JSON, or holds what `checked` refuses.
    """
    try:
        content = json.loads(text, parse_constant=_no_number, parse_int=_whole)
    except RecursionError as error:
        raise PlainDataError(f"is JSON that {_TOO_DEEP}") from error
    except UnicodeDecodeError as error:
        raise PlainDataError("is not a text in UTF-8") from error
    except json.JSONDecodeError as error:
        raise PlainDataError(f"is not JSON: {error}") from error
    return checked(content)


def from_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises:
        PlainDataError: It is not TOML, or holds what `checked` refuses.
    """
    if _LONG_KEY.search(text):
        raise PlainDataError(f"is TOML that {_TOO_DEEP}")
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise PlainDataError(f"is TOML that {_TOO_DEEP}") from error
    except tomllib.TOMLDecodeError as error:
        raise PlainDataError(f"is not TOML: {error}") from error
    except ValueError as error:
        # A number of more digits than Python reads, or a day that no calendar has.
        raise PlainDataError(f"is not TOML: {error}") from error
    return checked(content)


def checked(content: Any, *, largest: int = LARGEST_INTEGER) -> Any:
    """Return nested plain values as they are, or refuse them.

    Args:
        content: The values.
        largest: Magnitude of the largest whole number.

    Raises:
        PlainDataError: A larger whole number, a text with half a character, more
            than `DEEPEST` tables within each other, or more than `MOST_VALUES` values.
    """
    pending = [iter((content,))]
    count = 0
    while pending:
        value = next(pending[-1], pending)
        if value is pending:
            pending.pop()
            continue
        count += 1
        if count > MOST_VALUES:
            raise PlainDataError(f"holds more than {MOST_VALUES:,} values")
        _check(value, largest)
        if isinstance(value, Mapping | list | tuple):
            if len(pending) > DEEPEST:
                raise PlainDataError(_TOO_DEEP)
            pending.append(_parts(value))
    return content


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        return (part for pair in value.items() for part in pair)
    return iter(value)


def _check(value: Any, largest: int) -> None:
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise PlainDataError("holds half a character (a surrogate)") from error
    elif isinstance(value, int) and abs(value) > largest:
        raise PlainDataError(_TOO_LARGE)


def _no_number(word: str) -> NoReturn:
    raise PlainDataError(f"holds {word}, which is no number of JSON")


def _whole(digits: str) -> int:
    # Before Python reads them, which takes quadratic time and has a limit of its own.
    if len(digits) > len(str(LARGEST_INTEGER)) + 1:
        raise PlainDataError(_TOO_LARGE)
    return int(digits)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many letters, its end kept: what is allowed is there."""
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - end - 3]}...{text[-end:]}"
