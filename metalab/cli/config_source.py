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
    typed_problems,
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
        preset: Name of a preset; None takes the one that the file names with its key
            `preset`, the plain defaults with a file that names none, and the default
            preset without a file.
        code: A share code, in place of a preset.
        assignments: "path=value" texts.
        seed: Replaces `run.seed`.

    Raises:
        ConfigError: Something is not allowed; nothing has been written.
    """
    content: dict[str, object] = {}
    if code is not None and preset is not None:
        raise ConfigError([FieldProblem("--code", "is given beside --preset")])
    written = {} if file is None else _read(file)
    # Where its settings come from is said by what is taken, not by a line of the file.
    named = written.pop("preset", None) or None
    if code is not None:
        content = experiment_of_code(code).to_mapping()
    elif preset is not None or file is None:
        content = _preset(preset or DEFAULT_PRESET)
    elif named is not None:
        content = _preset(named)
    given = validated(merge(ExperimentConfig().to_mapping(), content))
    content = merge(content, written)
    config = validated(merge(ExperimentConfig().to_mapping(), content))
    overrides = [parse_assignment(text) for text in assignments]
    if seed is not None:
        overrides.append(("run.seed", seed))
    config = with_overrides(config, overrides)
    doubts = typed_problems(config, given)
    if doubts:
        raise ConfigError(doubts)
    return config


def _preset(name: object) -> dict[str, object]:
    try:
        return preset_settings(str(name))
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
