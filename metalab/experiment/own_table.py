"""An experiment on a person's own table."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from metalab.catalog.defaults import DEFAULT_PRESET
from metalab.catalog.recipes import presets
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.plugins import usable_presets
from metalab.tasks.table import TableFamily
from metalab.tasks.table_store import name_of

_LONGEST_NAME = 80
_TABLE = TableFamily.name


def table_methods() -> tuple[tuple[str, str], ...]:
    """Return title and preset of each method that comes with settings for tables.

    The default method comes first.
    """
    first, _ = usable_presets()[DEFAULT_PRESET]
    found: dict[str, str] = {}
    for recipe, preset in usable_presets().values():
        family = preset_config(preset.name).tasks.family
        if family.component is TableFamily:
            found.setdefault(recipe.title, preset.name)
    return tuple(sorted(found.items(), key=lambda item: item[0] != first.title))


def table_overrides(options: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Return the settings that put a table in the place of an experiment's tasks.

    Args:
        options: Of the task family, its `data` among them; the others are guessed or
            the defaults, not those of a table that the experiment had.
    """
    plain = ExperimentConfig().tasks.family.kind
    return [("tasks.family", plain), ("tasks.family", {"kind": _TABLE, **options})]


def table_experiment(
    preset: str, options: Mapping[str, str], *, num_shots: int
) -> ExperimentConfig:
    """Return the experiment of a preset on a table, called as its file is.

    Args:
        preset: Name of the preset.
        options: As for `table_overrides`.
        num_shots: Support points of each task.

    Raises:
        ConfigError: The table cannot be used.
        ValueError: No preset has that name.
    """
    overrides = [*table_overrides(options), ("tasks.num_shots", num_shots)]
    overrides += name_override(preset, options)
    return with_overrides(preset_config(preset), overrides)


def name_override(preset: str, options: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Return the setting that calls an experiment by its table's file and its method.

    Args:
        preset: Name of the preset that the method is of; nothing for an experiment that a
            person has named.
        options: Of the task family, its `data` among them.
    """
    stem = PurePath(name_of(options["data"])).stem.strip()
    if not stem or preset not in presets():
        return []
    method = presets()[preset][0].name
    room = _LONGEST_NAME - len(method) - 2
    return [("name", f"{stem[:room]}, {method}")]
