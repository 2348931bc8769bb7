"""Ticks of an axis, and how their numbers are written."""

import math
from collections.abc import Iterable

Tick = tuple[float, str]
"""Position on the axis, and text."""

_STEPS = (1.0, 2.0, 5.0, 10.0)
_MANTISSAS = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
    (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
)
"""Ticks within one decade, from sparse to dense."""

_LEAST_DECADES = 0.4
"""A shorter logarithmic axis is nearly straight and gets the ticks of a straight one."""

_MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ((1e9, "G"), (1e6, "M"))
_LARGEST_PLAIN, _SMALLEST_PLAIN = 1e7, 1e-4
_ROUNDING = 1e-9
_FIRST_YEAR, _LAST_YEAR = 1200, 2999
"""An axis from one to the other, without 0 on it, is read as years."""
_NO_ERROR = 1e-4
_ROUNDS_TO_THOUSAND = 999.5


def linear_ticks(
    low: float, high: float, most: int, *, whole: bool = False
) -> list[Tick]:
    """Return ticks at round numbers.

    Args:
        low: Start of the axis.
        high: End of the axis, above `low`.
        most: Most ticks there is room for, at least 2.
        whole: Whether only whole numbers mean something.
    """
    if not high > low:
        return []
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in _STEPS if s * power >= rough * (1 - _ROUNDING))
    step = max(step, 1.0) if whole else step
    first = math.ceil(low / step - _ROUNDING)
    last = math.floor(high / step + _ROUNDING)
    values = [index * step for index in range(first, last + 1)]
    return list(zip(values, _texts(values, step), strict=True))


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Return ticks for a logarithmic axis.

    Args:
        low: Decimal logarithm of the start of the axis.
        high: Of its end, above `low`.
        most: Most ticks there is room for, at least 2.

    Returns:
        Positions are decimal logarithms.
    """
    if not high > low:
        return []
    if high - low < _LEAST_DECADES:
        straight = linear_ticks(10.0**low, 10.0**high, most)
        return [(math.log10(value), text) for value, text in straight if value > 0]
    decades = range(math.floor(low), math.ceil(high) + 1)
    inside: list[tuple[float, int, float]] = []
    for mantissas in _MANTISSAS:
        denser = [
            (math.log10(mantissa) + decade, decade, mantissa)
            for decade in decades
            for mantissa in mantissas
            if low <= math.log10(mantissa) + decade <= high
        ]
        if inside and len(denser) > most:
            break
        inside = denser
    every = math.ceil(len(inside) / most) if inside else 1
    # Where there are too many decades, those divisible by the stride stay.
    return [
        (position, _log_text(decade, mantissa))
        for position, decade, mantissa in inside
        if every == 1 or decade % every == 0
    ]


def number_text(value: float) -> str:
    """Return a measured number as people read it: three digits, a true minus."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else f"{_MINUS}∞")
    size = abs(value)
    if size and not _SMALLEST_PLAIN <= size < _LARGEST_PLAIN:
        mantissa, power = f"{value:.2e}".split("e")
        text = f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPT)}"
    elif size >= _ROUNDS_TO_THOUSAND:
        text = f"{value:,.0f}"
    else:
        text = f"{value:#.3g}".rstrip(".") if value else "0"
    return text.replace("-", _MINUS)


def mean_text(mean: float, error: float) -> str:
    """Return a mean and its standard error, two digits of the error at most.

    An error that vanishes beside three digits of the mean is left out, and so is that of
    a number so small that it is rounding.
    """
    if not (math.isfinite(mean) and math.isfinite(error)):
        return number_text(mean)
    largest = max(abs(mean), error)
    if largest < _SMALLEST_PLAIN or error < _NO_ERROR * largest:
        return number_text(mean)
    if largest >= _ROUNDS_TO_THOUSAND:
        return f"{number_text(mean)} ± {number_text(error)}"
    places = min(max(0, 1 - math.floor(math.log10(error))), 3)
    return f"{mean:.{places}f} ± {error:.{places}f}".replace("-", _MINUS)


def _texts(values: Iterable[float], step: float) -> list[str]:
    values = list(values)
    largest = max((abs(value) for value in values), default=0.0)
    for unit, letter in _UNITS:
        if largest >= unit and step >= unit / 1000:
            places = _places(step / unit)
            texts = (_plain(value / unit, places) + letter for value in values)
            return [t if v else "0" for t, v in zip(texts, values, strict=True)]
    places = _places(step)
    if largest >= _LARGEST_PLAIN or (0 < largest < _SMALLEST_PLAIN):
        return [_power(value) for value in values]
    # Nobody groups the digits of years.
    grouped = not (values and min(values) >= _FIRST_YEAR and largest <= _LAST_YEAR)
    return [_plain(value, places, grouped=grouped) for value in values]


def _places(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + _ROUNDING))


def _plain(value: float, places: int, *, grouped: bool = True) -> str:
    text = f"{value:,.{places}f}" if grouped else f"{value:.{places}f}"
    return (
        text.replace("-", _MINUS) if float(text.replace(",", "")) else text.lstrip("-")
    )


def _power(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, power = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", _MINUS)
    return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPT)}"


def _log_text(decade: int, mantissa: float) -> str:
    if -4 <= decade <= 4:
        return f"{mantissa * 10.0**decade:,.6g}".rstrip(".")
    power = f"10{str(decade).translate(_SUPERSCRIPT)}"
    return power if mantissa == 1 else f"{mantissa:g}·{power}"
