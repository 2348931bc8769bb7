"""Discovery of the pages: a page is found by being there, as one package or module here.

It says what it is as `PAGE`; what draws it is imported when it is first looked at.
"""

import pkgutil
from importlib import import_module

import metalab.ui.workspaces as rooms
from metalab.ui.workspaces.spec import WorkspaceSpec

_SHARED = ("base", "registry", "spec", "tabs")
"""Modules beside the pages; the first imports what the window paints without."""

_MOST = 10
"""Each page has Ctrl and a digit; the tenth has 0."""


def _found() -> tuple[WorkspaceSpec, ...]:
    """Return the pages in their order.

    Raises:
        ValueError: Two pages have one name or one place, or there are too many.
    """
    names = [info.name for info in pkgutil.iter_modules(rooms.__path__)]
    modules = [
        import_module(f"metalab.ui.workspaces.{name}")
        for name in names
        if name not in _SHARED
    ]
    specs: list[WorkspaceSpec] = [module.PAGE for module in modules]
    for field in ("key", "place"):
        values = [getattr(spec, field) for spec in specs]
        if len(set(values)) < len(values):
            raise ValueError(f"two pages have the same {field}: {sorted(values)}")
    if len(specs) > _MOST:
        raise ValueError(
            f"there are {len(specs)} pages; allowed: {_MOST}, a digit each"
        )
    return tuple(sorted(specs, key=lambda spec: spec.place))


WORKSPACES = _found()
"""The pages of the centre, in their order."""


def page_shortcut(spec: WorkspaceSpec) -> str:
    """Return the keys that bring a page to the front."""
    return f"Ctrl+{(WORKSPACES.index(spec) + 1) % _MOST}"
