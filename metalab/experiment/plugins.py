"""Contributions of other packages to an experiment, and those that cannot be used."""

from collections.abc import Mapping
from functools import cache

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
    """Return what third parties register that cannot be used, a sentence each."""
    registered = [p for registry in SLOTS.values() for p in registry.problems]
    return (*registered, *plugins().problems, *_usable()[1])
