"""Contributions of others to an experiment, and those that cannot be used.

Others are packages with entry points, and files of a person's own.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from metalab.catalog.plugin_files import LoadedFile, PluginError, loaded_files
from metalab.catalog.recipes import (
    Preset,
    Recipe,
    merge,
    plugins,
    preset_settings,
    presets,
)
from metalab.catalog.slots import SLOTS
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import validated


@cache
def _usable() -> tuple[Mapping[str, tuple[Recipe, Preset]], tuple[str, ...]]:
    """Return the presets that are experiments, and what is wrong with others.

    Our own are, which tests see to; those of third parties are looked at.
    """
    found, problems = dict(presets()), list[str]()
    defaults = ExperimentConfig().to_mapping()
    for recipe, owner in plugins().values:
        for preset in recipe.presets:
            try:
                content = merge(defaults, preset_settings(preset.name))
                validated(content)
            except Exception as error:  # noqa: BLE001 - anybody's settings
                del found[preset.name]
                told = "; ".join(str(error).splitlines())
                problems.append(
                    f"preset {preset.name!r} of {owner} is left out: {told}"
                )
    return found, tuple(problems)


def usable_presets() -> Mapping[str, tuple[Recipe, Preset]]:
    """Return every preset that is an experiment, with its recipe, in order of menus."""
    return _usable()[0]


def plugin_problems() -> tuple[str, ...]:
    """Return what others bring that cannot be used, a sentence each."""
    registered = [p for registry in SLOTS.values() for p in registry.problems]
    return (*_unloaded(), *registered, *plugins().problems, *_usable()[1])


def check_files(others: Sequence[str] = ()) -> None:
    """Refuse plug-in files of which something cannot be used.

    Args:
        others: Problems of places that this layer does not know.

    Raises:
        PluginError: Names file, line and reason.
    """
    problems = (*plugin_problems(), *others)
    told = [problem for problem in problems if problem.startswith(_OF_A_FILE)]
    if told:
        raise PluginError(told[0])


_OF_A_FILE = "plug-in "


def _unloaded() -> tuple[str, ...]:
    """Return which files could not be run, or bring nothing."""
    empty = [
        f"plug-in {loaded.file.path} defines nothing that metalab takes: a class that "
        "inherits a base class of metalab.core, an nn.Module whose __init__ takes "
        "input_dim and output_dim, a Recipe or a FigureSpec"
        for loaded in loaded_files()
        if not loaded.problem and not _brings(loaded)
    ]
    return (*(f.problem for f in loaded_files() if f.problem), *empty)


def _brings(loaded: LoadedFile) -> bool:
    """Return whether a file has anything for the registries."""
    values = loaded.values.values()
    wanted = any(r.wants(v) for r in SLOTS.values() for v in values)
    # A figure's description is of a layer above this one.
    kinds = {type(value).__name__ for value in values}
    return wanted or bool(kinds & {Recipe.__name__, "FigureSpec"})


def origin(path: str, kind: str) -> str:
    """Return the plug-in file that a component comes from, in words; "" for none.

    Args:
        path: Of the component's field, such as "model".
        kind: The component's name.
    """
    file = SLOTS[path].files.get(kind)
    return "" if file is None else str(file)


def origins(config: ExperimentConfig) -> dict[str, str]:
    """Return the plug-in files that an experiment's components come from, by path."""
    found: dict[str, str] = {}
    for path in SLOTS:
        section: Any = config
        for part in path.split("."):
            section = getattr(section, part)
        words = origin(path, section.kind)
        if words:
            found[path] = words
    return found
