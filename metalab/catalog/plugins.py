"""Registrations of other packages and of plug-in files, and what is wrong with them.

Somebody else's code must never keep metalab from working: an entry point, or a class of a
plug-in file, that cannot be used is named, left out and told (in the window's Problems, by
`doctor`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from metalab.catalog.plugin_files import PluginFile, loaded_files
from metalab.core.errors import told

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""Names that a component, a recipe and a preset may have: they stand in dotted paths, on
the command line and in files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """The registrations of one group.

    Attributes:
        values: What can be used, each with who registers it, in words.
        problems: What cannot, a sentence each.
    """

    values: tuple[tuple[Any, str], ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFiles:
    """Components of plug-in files for one place.

    Attributes:
        values: What can be used, each with its file.
        problems: What cannot, a sentence each.
    """

    values: tuple[tuple[Any, PluginFile], ...]
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
            problems.append(f"{owner} is left out: it cannot be loaded ({told(error)})")
            continue
        try:
            check(value)
        except UnfitError as error:
            problems.append(f"{owner} is left out: {error}")
        except Exception as error:  # noqa: BLE001 - anybody's attributes
            problems.append(f"{owner} is left out: it cannot be used ({told(error)})")
        else:
            values.append((value, owner))
    return Plugins(values=tuple(values), problems=tuple(problems))


def take_from_files(
    wants: Callable[[Any], bool], take: Callable[[Any], Any]
) -> FromFiles:
    """Return what plug-in files define for one place, in the order of the files.

    Args:
        wants: Whether a value is meant for the place.
        take: Returns what is used for the value; raises `UnfitError` if nothing can be.
    """
    values: list[tuple[Any, PluginFile]] = []
    problems: list[str] = []
    for loaded in loaded_files():
        for name, value in loaded.values.items():
            try:
                if wants(value):
                    values.append((take(value), loaded.file))
            except Exception as error:  # noqa: BLE001 - anybody's attributes
                unfit = isinstance(error, UnfitError)
                reason = str(error) if unfit else f"it cannot be used ({told(error)})"
                problems.append(
                    f"plug-in {loaded.place(name)}: {name} is left out: {reason}"
                )
    return FromFiles(values=tuple(values), problems=tuple(problems))


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
