"""Steps of a number box's arrows, which suit the size of the number."""

import math
from decimal import Decimal

from metalab.core.spec import OptionSpec

_ROOT_TEN = math.sqrt(10)
_FINEST = Decimal("0.1")
"""Linear steps near zero are no coarser than this, however wide the bounds."""


def stepped(value: float, steps: int, spec: OptionSpec, *, whole: bool) -> float:
    """Return the value after `steps` presses of the up arrow; negative for down.

    A value out of bounds steps to the nearest admissible one. Bounds stop the arrows.

    Args:
        value: Where to start.
        steps: Number of presses.
        spec: Bounds, and whether steps are ratios.
        whole: Whether the value is a whole number.
    """
    for _ in range(abs(steps)):
        value = _one_step(value, spec, up=steps > 0, whole=whole)
    return value


def _one_step(value: float, spec: OptionSpec, *, up: bool, whole: bool) -> float:
    inside = _nearest_allowed(value, spec)
    if inside != value:
        return inside
    if spec.log:
        target = times_root_ten(value, up=up) if value > 0 else _log_origin(spec)
    else:
        target = _linear(value, up=up, finest=_finest(spec, whole=whole))
    return _kept_inside(value, int(target) if whole else target, spec)


def _nearest_allowed(value: float, spec: OptionSpec) -> float:
    if spec.high is not None and value > spec.high:
        return type(value)(spec.high)
    if spec.low is None or value > spec.low:
        return value
    if not spec.exclusive:
        return type(value)(spec.low)
    return _log_origin(spec) if spec.log else value


def _kept_inside(value: float, target: float, spec: OptionSpec) -> float:
    if spec.high is not None and target > spec.high:
        return type(target)(spec.high)
    if spec.low is not None and target <= spec.low:
        return value if spec.exclusive else type(target)(spec.low)
    return target


def _log_origin(spec: OptionSpec) -> float:
    """Where a ratio scale starts when there is no positive number to start from."""
    if spec.low is not None and spec.low > 0 and not spec.exclusive:
        return spec.low
    return _rounded((spec.high or 1.0) * 1e-6, 1)


def times_root_ten(value: float, *, up: bool) -> float:
    """Return the value times or divided by the root of ten, to three digits.

    Two steps are exactly a factor of ten, and a step back returns to where a value of
    one or two digits started: 0.01, 0.0316, 0.1, 0.0316, 0.01.
    """
    target = value * _ROOT_TEN if up else value / _ROOT_TEN
    for digits in (1, 2):
        nice = _rounded(target, digits)
        back = nice / _ROOT_TEN if up else nice * _ROOT_TEN
        if _rounded(back, 3) == value:
            return nice
    return _rounded(target, 3)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _finest(spec: OptionSpec, *, whole: bool) -> Decimal:
    if whole:
        return Decimal(1)
    if spec.low is None or spec.high is None or spec.high <= spec.low:
        return _FINEST
    span = Decimal(repr(spec.high - spec.low))
    return min(_FINEST, Decimal(1).scaleb(span.adjusted() - 3))


def _linear(value: float, *, up: bool, finest: Decimal) -> float:
    """Return the value moved by one in its second digit, and at least by `finest`.

    Decimal arithmetic: 0.1 and three steps of 0.1 make 0.4.
    """
    exact = Decimal(repr(value))
    size = finest
    if exact:
        exponent = exact.adjusted()
        towards_zero = up != (exact > 0)
        if towards_zero and abs(exact) == Decimal(1).scaleb(exponent):
            exponent -= 1
        size = max(finest, Decimal(1).scaleb(exponent - 1))
    return float(exact + size if up else exact - size)
