"""Registrations of other packages, and what is wrong with them.

A package of somebody else must never keep metalab from working: an entry point that
cannot be used is named, left out and told (in the window's Problems, by `doctor`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""Names that a component, a recipe and a preset may have: they stand in dotted paths, on
the command line and in files."""

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """The registrations of one group.

    Attributes:
        values: What can be used, each with who registers it, in words.
        problems: What cannot, a sentence each.
    """

    values: tuple[tuple[Any, str], ...]
    problems: tuple[str, ...]


class UnfitError(ValueError):
    """An entry point that names something its group does not take; the message says why."""


def load_plugins(group: str, check: Callable[[Any], None]) -> Plugins:
    """Load what is registered in a group, in the order in which it is found.

    Args:
        group: The entry points' group.
        check: Raises `UnfitError` for what cannot be used. Called in order, so that it
            can refuse a name that is taken.
    """
    values: list[tuple[Any, str]] = []
    problems: list[str] = []
    for entry in entry_points(group=group):
        owner = f"entry point {entry.name!r} of {_owner(entry)} in {group!r}"
        try:
            value = entry.load()
        # A module that ends the process when it is imported ends nothing here.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - anybody's code
            problems.append(
                f"{owner} is left out: it cannot be loaded ({_told(error)})"
            )
            continue
        try:
            check(value)
        except UnfitError as error:
            problems.append(f"{owner} is left out: {error}")
        except Exception as error:  # noqa: BLE001 - anybody's attributes
            problems.append(f"{owner} is left out: it cannot be used ({_told(error)})")
        else:
            values.append((value, owner))
    return Plugins(values=tuple(values), problems=tuple(problems))


def check_name(what: str, name: object, taken: Mapping[str, object]) -> None:
    """Refuse a name that is none, or that something else has.

    Args:
        what: Whose name it is, for the message.
        name: The name.
        taken: Names that are given.

    Raises:
        UnfitError: It cannot be used.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UnfitError(
            f"its {what} is called {name!r}; allowed: lower-case letters, digits, "
            "hyphens and underscores"
        )
    if name in taken:
        raise UnfitError(f"its {what} is called {name!r}, a name that is taken")


def described(value: object) -> str:
    """Return what an object is, for a message: "class Momentum"."""
    if isinstance(value, type):
        return f"class {value.__name__}"
    return f"an object of class {type(value).__name__}"


def _owner(entry: EntryPoint) -> str:
    package = getattr(entry, "dist", None)
    return "a package" if package is None else f"{package.name} {package.version}"


def _told(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = type(error).__name__ + (f": {lines[0]}" if lines else "")
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
