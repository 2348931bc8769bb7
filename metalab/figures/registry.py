"""Discovery: a figure is found by being there, as one file in `figures.kinds`."""

from collections.abc import Mapping
from functools import cache

from metalab.catalog.registry import iter_modules
from metalab.figures.base import FigureError, FigureSpec


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
