"""Names of the figures, which are their files' names, without importing them."""

import pkgutil
from pathlib import Path

_KINDS = Path(__file__).parent / "kinds"


def figure_names() -> tuple[str, ...]:
    """Return the name of every figure, in alphabetical order."""
    found = (entry.name for entry in pkgutil.iter_modules([str(_KINDS)]))
    return tuple(sorted(name.replace("_", "-") for name in found))
