"""Facts in a run file about the plug-in files that its components came from.

A name and a digest, for people: no run file is ever a reason to load anything.
"""

from collections.abc import Mapping
from typing import Any

from metalab.catalog.slots import SLOTS
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.plugins import origin, origins

_KEY = "plug-in of "
"""Of an entry of the fact `environment`, before the component's path."""

HOW_TO_ADD = "add it by --plugin FILE, or in the window by File > Add plug-in…"


def plugin_facts(config: ExperimentConfig) -> dict[str, str]:
    """Return entries for the fact `environment`: which file each component is from."""
    return {f"{_KEY}{path}": words for path, words in origins(config).items()}


def missing_plugins(environment: Mapping[str, str], content: Mapping[str, Any]) -> str:
    """Return in words which components are missing that plug-ins had; "" for none.

    Args:
        environment: As it stands in the file.
        content: The experiment, not yet looked at.
    """
    missing = [
        f"{path}.kind {kind!r} of plug-in {words}"
        for path, kind, words in _named(environment, content)
        if kind not in SLOTS[path].components
    ]
    if not missing:
        return ""
    verb = "which is" if len(missing) == 1 else "which are"
    return f"{', '.join(missing)}, {verb} not loaded; {HOW_TO_ADD}"


def changed_plugins(
    environment: Mapping[str, str], config: ExperimentConfig
) -> tuple[str, ...]:
    """Return which components are from another plug-in now, a sentence each."""
    return tuple(
        f"{path}.kind {kind!r} was of plug-in {words}, and is of "
        f"{origin(path, kind) or 'another place'} now"
        for path, kind, words in _named(environment, config.to_mapping())
        if origin(path, kind) != words
    )


def _named(
    environment: Mapping[str, str], content: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Return path, kind and file of each component that a plug-in had."""
    found: list[tuple[str, str, str]] = []
    for key, words in environment.items():
        path = key.removeprefix(_KEY)
        if key == path or path not in SLOTS:
            continue
        section: Any = content
        for part in (*path.split("."), "kind"):
            section = section.get(part) if isinstance(section, Mapping) else None
        if isinstance(section, str):
            found.append((path, section, words))
    return found
