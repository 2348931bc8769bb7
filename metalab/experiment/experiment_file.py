"""Experiments as TOML files, as `train` takes and the window saves and opens them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from metalab.catalog.recipes import merge, preset_settings
from metalab.core.paths import obstacle_to_read, replace_file
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import (
    ConfigError,
    FieldProblem,
    differences,
    typed_problems,
    validated,
)
from metalab.experiment.naming import has_own_name, reference_of
from metalab.experiment.plain_data import PlainDataError, from_toml, read_text
from metalab.tasks.table_store import look_in

_SQLITE = b"SQLite format 3\x00"
_LESSON = {"title", "pages"}
"""Keys of a lesson that no experiment has."""


def experiment_of(
    written: Mapping[str, Any], base: ExperimentConfig | None = None
) -> ExperimentConfig:
    """Return the experiment of a file's content.

    Args:
        written: What the file says. Its key `preset` names what the rest differs from.
        base: What it differs from instead.

    Raises:
        ConfigError: Something is not allowed.
    """
    content = dict(written)
    # Where its settings come from is said by what is taken, not by a line of the file.
    named = content.pop("preset", None) or None
    start = base or ExperimentConfig()
    if base is None and named is not None:
        start = validated(merge(start.to_mapping(), preset_content(named)))
    config = validated(merge(start.to_mapping(), content))
    doubts = typed_problems(config, start)
    if doubts:
        raise ConfigError(doubts)
    return config


def preset_content(name: object) -> dict[str, Any]:
    """Return the settings of a preset.

    Raises:
        ConfigError: No preset has that name.
    """
    try:
        return preset_settings(str(name))
    except ValueError as error:
        raise ConfigError([FieldProblem("", str(error))]) from error


def written_in(file: Path) -> dict[str, Any]:
    """Return what an experiment's file says.

    Raises:
        ConfigError: It cannot be read, or is something else: a run, a lesson.
    """
    obstacle = obstacle_to_read(file)
    if obstacle is not None:
        raise _unread(file, f"cannot be read: {obstacle}")
    try:
        with file.open("rb") as stream:
            is_run = stream.read(len(_SQLITE)) == _SQLITE
        if is_run:
            raise _unread(
                file,
                "is a run file, not an experiment in TOML; `metalab resume` goes on with "
                "it, `metalab show` tells its settings",
            )
        content = from_toml(read_text(file))
    except OSError as error:
        raise _unread(file, f"cannot be read: {error.strerror}") from error
    except PlainDataError as error:
        raise _unread(file, str(error)) from error
    if content.keys() >= _LESSON:
        raise _unread(
            file,
            "is a lesson, not an experiment; `metalab FILE` opens it in the window",
        )
    # A table is named as seen from the file that names it.
    look_in(file.parent)
    return content


def is_lesson(file: Path) -> bool:
    """Return whether a TOML file holds a lesson; False where it cannot be read."""
    try:
        return from_toml(read_text(file)).keys() >= _LESSON
    except (OSError, PlainDataError):
        return False


def read_experiment(file: Path) -> ExperimentConfig:
    """Return the experiment of a file.

    Raises:
        ConfigError: It cannot be read, or something in it is not allowed.
    """
    return experiment_of(written_in(file))


def write_experiment(file: Path, config: ExperimentConfig) -> None:
    """Write an experiment: its preset, and what it changes.

    Raises:
        OSError: The file cannot be written; what was there stays.
    """
    replace_file(file, experiment_text(config).encode())


def experiment_text(config: ExperimentConfig) -> str:
    """Return an experiment as TOML, which reads back to an equal one."""
    reference = reference_of(config)
    content: dict[str, Any] = {"preset": reference.name}
    if has_own_name(config):
        content["name"] = config.name
    for path, (ours, _) in differences(config, reference).items():
        # A setting that only the preset's component has goes with that component.
        if ours is not None:
            *parents, name = path.split(".")
            section = content
            for parent in parents:
                section = section.setdefault(parent, {})
            section[name] = list(ours) if isinstance(ours, tuple) else ours
    return tomli_w.dumps(content)


def _unread(file: Path, reason: str) -> ConfigError:
    return ConfigError([FieldProblem(str(file), reason)])
