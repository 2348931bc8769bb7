"""From a file, a preset and `--set` to one experiment."""

from collections.abc import Sequence
from pathlib import Path

from metalab.catalog.recipes import merge, preset_settings
from metalab.core.paths import obstacle_to_read
from metalab.engine.config import ExperimentConfig
from metalab.engine.overrides import (
    ConfigError,
    FieldProblem,
    parse_assignment,
    validated,
    with_overrides,
)
from metalab.engine.plain_data import PlainDataError, from_toml, read_text
from metalab.engine.share_code import experiment_of_code

DEFAULT_PRESET = "maml-sine"


def resolve_config(
    file: Path | None,
    *,
    preset: str | None,
    code: str | None = None,
    assignments: Sequence[str],
    seed: int | None,
) -> ExperimentConfig:
    """Return the experiment: preset or code, then file, then assignments, then seed.

    Args:
        file: A TOML file; what it leaves out comes from the preset.
        preset: Name of a preset; None takes the default one without a file, and the
            plain defaults with one.
        code: A share code, in place of a preset.
        assignments: "path=value" texts.
        seed: Replaces `run.seed`.

    Raises:
        ConfigError: Something is not allowed; nothing has been written.
    """
    content: dict[str, object] = {}
    if code is not None and preset is not None:
        raise ConfigError([FieldProblem("--code", "is given beside --preset")])
    if code is not None:
        content = experiment_of_code(code).to_mapping()
    elif preset is not None or file is None:
        content = _preset(preset)
    if file is not None:
        content = merge(content, _read(file))
    config = validated(merge(ExperimentConfig().to_mapping(), content))
    overrides = [parse_assignment(text) for text in assignments]
    if seed is not None:
        overrides.append(("run.seed", seed))
    return with_overrides(config, overrides)


def _preset(name: str | None) -> dict[str, object]:
    try:
        return preset_settings(name or DEFAULT_PRESET)
    except ValueError as error:
        raise ConfigError([FieldProblem("", str(error))]) from error


def _read(file: Path) -> dict[str, object]:
    obstacle = obstacle_to_read(file)
    if obstacle is not None:
        raise ConfigError([FieldProblem(str(file), f"cannot be read: {obstacle}")])
    try:
        return from_toml(read_text(file))
    except OSError as error:
        raise ConfigError(
            [FieldProblem(str(file), f"cannot be read: {error.strerror}")]
        ) from error
    except PlainDataError as error:
        raise ConfigError([FieldProblem(str(file), str(error))]) from error
