"""An experiment on a person's own table."""

from collections.abc import Mapping
from pathlib import PurePath

from metalab.catalog.defaults import DEFAULT_PRESET
from metalab.catalog.recipes import merge
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import validated
from metalab.experiment.plugins import usable_presets
from metalab.tasks.table import TableFamily
from metalab.tasks.table_store import name_of

_LONGEST_NAME = 80


def table_methods() -> tuple[tuple[str, str], ...]:
    """Return title and preset of each method that comes with settings for tables.

    The default method comes first.
    """
    first, _ = usable_presets()[DEFAULT_PRESET]
    found: dict[str, str] = {first.title: ""}
    for recipe, preset in usable_presets().values():
        family = preset_config(preset.name).tasks.family
        if family.component is TableFamily:
            found[recipe.title] = found.get(recipe.title) or preset.name
    return tuple(item for item in found.items() if item[1])


def on_table(config: ExperimentConfig, options: Mapping[str, str]) -> ExperimentConfig:
    """Return the experiment with the tasks of a table in the place of its own.

    Args:
        config: The experiment.
        options: Of the task family, its `data` among them; the others are guessed or
            the defaults, not those of a table that the experiment had.

    Raises:
        ConfigError: The table cannot be used, or not by this experiment.
    """
    content = config.to_mapping()
    content["tasks"]["family"] = {"kind": TableFamily.name, **options}
    return validated(content)


def table_experiment(
    preset: str, options: Mapping[str, str], *, num_shots: int
) -> ExperimentConfig:
    """Return the experiment of a preset on a table, called as its file is.

    Args:
        preset: Name of the preset.
        options: As for `on_table`.
        num_shots: Support points of each task.

    Raises:
        ConfigError: The table cannot be used.
        ValueError: No preset has that name.
    """
    content = merge(
        preset_config(preset).to_mapping(), {"tasks": {"num_shots": num_shots}}
    )
    content["tasks"]["family"] = {"kind": TableFamily.name, **options}
    stem = PurePath(name_of(options["data"])).stem
    if stem.strip():
        content["name"] = stem[:_LONGEST_NAME]
    return validated(content)
