"""Verdicts of checks, and what carries checks out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from metalab.core.errors import line_in, told


class Outcome(Enum):
    """Outcome of a check."""

    PASS = "pass"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that was tried.

    Attributes:
        component: What was tried: "model 'reading-lstm'".
        check: What of it.
        outcome: What came of it.
        reason: Why it failed or was left out, or what was measured; "" for nothing.
    """

    component: str
    check: str
    outcome: Outcome
    reason: str = ""


class CheckError(Exception):
    """Something is not as it should be; the message says what."""


class SkipError(Exception):
    """A check makes no sense here; the message says why."""


Check = Callable[[], str | None]
"""Tries one thing; returns what it measured, if anything is worth telling.

Raises `CheckError`, `SkipError`, or what the component raises.
"""


def carried_out(
    component: str, checks: Mapping[str, Check], file: str
) -> Iterator[Verdict]:
    """Carry checks out one after another.

    Args:
        component: What is tried.
        checks: By what they try.
        file: Where the component's code stands; errors in it get their line.

    Yields:
        A verdict a check, as soon as it is known.
    """
    for name, check in checks.items():
        outcome, reason = Outcome.PASS, ""
        try:
            reason = check() or ""
        except SkipError as error:
            outcome, reason = Outcome.SKIP, str(error)
        except CheckError as error:
            outcome, reason = Outcome.FAIL, str(error)
        except Exception as error:  # noqa: BLE001 - anybody's code
            line = line_in(error, file)
            where = "" if line is None else f"line {line}: "
            outcome, reason = Outcome.FAIL, f"{where}{told(error)}"
        yield Verdict(component=component, check=name, outcome=outcome, reason=reason)


def require(condition: object, otherwise: str) -> None:
    """Fail a check unless something holds.

    Raises:
        CheckError: It does not.
    """
    if not condition:
        raise CheckError(otherwise)
