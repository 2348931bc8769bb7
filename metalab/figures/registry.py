"""Discovery: a figure is found by being there, as one file in `figures.kinds`."""

from collections.abc import Mapping
from functools import cache

from metalab.catalog.registry import iter_modules
from metalab.figures.base import FigureSpec
from metalab.figures.errors import FigureError


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
