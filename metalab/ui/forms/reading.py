"""Conversion between the text of a field and its value, without rounding surprises.

Numbers are written as Python, TOML and the command line write them, whatever the
language of the desktop: a point before the decimals. Whole numbers show a comma between
thousands while they are not being edited.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metalab.core.spec import OptionSpec

_WHOLE = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,4})?")
_MOST_DIGITS = 18
"""Whole numbers beyond 64 bits fit no file; texts that long are not read at all."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Text that is not a value of its field's type, kept as it was typed."""

    text: str


def read(text: str, value_type: type, spec: OptionSpec | None = None) -> Any:
    """Return the value of a text, or `Unread`.

    Args:
        text: What a person typed.
        value_type: int, float, str or tuple (of int).
        spec: Of the field, for its word for 0; None where there is none.
    """
    if spec is not None and spec.means_zero(text):
        return value_type(0)
    plain = text.strip().replace("\N{MINUS SIGN}", "-").lower()
    value: Any = None
    if value_type is str:
        value = text
    elif value_type is tuple:
        value = _read_tuple(plain)
    elif value_type is int:
        value = _read_whole(plain)
    elif _NUMBER.fullmatch(plain):
        value = float(plain)
        value = None if value in (float("inf"), float("-inf")) else value
    return Unread(text) if value is None else value


def _read_whole(text: str) -> int | None:
    plain = text.replace(",", "") if _WHOLE.fullmatch(text) else text
    if not _NUMBER.fullmatch(plain):
        return None
    number = Decimal(plain)
    if number.adjusted() > _MOST_DIGITS or number % 1 != 0:
        return None
    return int(number)


def _read_tuple(text: str) -> tuple[int, ...] | None:
    entries = [entry.strip() for entry in text.strip("()[] ,").split(",")]
    if entries == [""]:
        return ()
    numbers = [_read_whole(entry) for entry in entries]
    return None if None in numbers else tuple(n for n in numbers if n is not None)


def exact_text(value: Any) -> str:
    """Return a text that reads back as exactly the value; for editing."""
    if isinstance(value, Unread):
        return value.text
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, tuple):
        return ", ".join(str(entry) for entry in value)  # pyright: ignore[reportUnknownVariableType] - a plain setting
    return str(value)


def short_text(value: Any) -> str:
    """Return a text for reading: thousands apart, long fractions cut with an ellipsis."""
    text = exact_text(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        brief = f"{value:.6g}"
        return text if float(brief) == value else f"{brief}\N{HORIZONTAL ELLIPSIS}"
    return text


def unread_message(unread: Unread, value_type: type, spec: OptionSpec) -> str:
    """Return what is wrong with a text that could not be read."""
    text = unread.text.strip()
    said = f"is {text!r}" if text else "is empty"
    form = {int: "a whole number, ", tuple: "whole numbers with commas between, each "}
    return f"{said}; allowed: {form.get(value_type, '')}{spec.allowed()}"
