"""Discovery: a figure is found by being there, as one file in `figures.kinds`.

Other packages register theirs as entry points; plug-in files have theirs, too.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from metalab.catalog.plugin_files import are_loaded
from metalab.catalog.plugins import (
    UnfitError,
    check_name,
    described,
    load_plugins,
    take_from_files,
)
from metalab.catalog.registry import iter_modules
from metalab.figures.base import FigureSpec
from metalab.figures.errors import FigureError

ENTRY_POINT_GROUP = "metalab.figures"


def figures() -> Mapping[str, FigureSpec]:
    """Return every figure by name. Imports no matplotlib.

    Those of plug-in files are among them once the files have been run, which takes torch.

    Raises:
        ValueError: Two figures share a name.
    """
    return _own() | _of_others()[0] if are_loaded() else _own()


def figure_problems() -> tuple[str, ...]:
    """Return which figures of others cannot be used and why, a sentence each."""
    return _of_others()[1]


@cache
def _own() -> dict[str, FigureSpec]:
    found: dict[str, FigureSpec] = {}
    for module in iter_modules("metalab.figures.kinds"):
        spec: FigureSpec = module.FIGURE
        if spec.name in found:
            raise ValueError(f"two figures are called {spec.name!r}")
        found[spec.name] = spec
    return found


@cache
def _of_others() -> tuple[dict[str, FigureSpec], tuple[str, ...]]:
    found: dict[str, FigureSpec] = {}

    def take(value: Any) -> None:
        if not isinstance(value, FigureSpec):
            raise UnfitError(
                f"it is {described(value)}; {ENTRY_POINT_GROUP!r} takes a FigureSpec of "
                "metalab.figures.base"
            )
        check_name("figure", value.name, _own() | found)
        found[value.name] = value

    registered = load_plugins(ENTRY_POINT_GROUP, take)
    own = take_from_files(lambda value: isinstance(value, FigureSpec), take)
    return found, (*registered.problems, *own.problems)


def figure_named(name: str) -> FigureSpec:
    """Return a figure.

    Raises:
        FigureError: No figure has that name.
    """
    if name not in figures():
        raise FigureError(f"figure is {name!r}; allowed: {', '.join(figures())}")
    return figures()[name]


def check_shows_tasks(name: str) -> None:
    """Refuse a figure that shows more than how tasks adapt, for other tasks.

    Raises:
        FigureError: It shows what was measured while the run went on, or is unknown.
    """
    if not figure_named(name).of_tasks:
        fitting = ", ".join(n for n, spec in figures().items() if spec.of_tasks)
        raise FigureError(
            f"figure {name!r} shows what was measured on the run's own tasks; with other "
            f"tasks (--set), allowed: {fitting}"
        )
