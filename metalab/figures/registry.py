"""Discovery: a figure is found by being there, as one file in `figures.kinds`."""

import pkgutil
from collections.abc import Mapping
from functools import cache

from metalab.catalog.registry import iter_modules
from metalab.figures.base import FigureError, FigureSpec


@cache
def figure_names() -> tuple[str, ...]:
    """Return the name of every figure, from its file's. Imports none of them."""
    from metalab.figures import kinds  # noqa: PLC0415 - only for its place

    return tuple(
        entry.name.replace("_", "-")
        for entry in sorted(pkgutil.iter_modules(kinds.__path__), key=_name)
    )


def _name(entry: pkgutil.ModuleInfo) -> str:
    return entry.name


@cache
def figures() -> Mapping[str, FigureSpec]:
    """Return every figure by name. Imports no matplotlib.

    Raises:
        ValueError: Two figures share a name.
    """
    found: dict[str, FigureSpec] = {}
    for module in iter_modules("metalab.figures.kinds"):
        spec: FigureSpec = module.FIGURE
        if spec.name in found:
            raise ValueError(f"two figures are called {spec.name!r}")
        found[spec.name] = spec
    return found


def figure_named(name: str) -> FigureSpec:
    """Return a figure.

    Raises:
        FigureError: No figure has that name.
    """
    if name not in figures():
        raise FigureError(f"figure is {name!r}; allowed: {', '.join(figures())}")
    return figures()[name]
