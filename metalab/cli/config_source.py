"""From a file, a preset and `--set` to one experiment."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from metalab.catalog.defaults import DEFAULT_PRESET
from metalab.catalog.recipes import merge, preset_named
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.experiment_file import experiment_of, preset_content, written_in
from metalab.experiment.fields import (
    ConfigError,
    FieldProblem,
    parse_assignment,
    typed_problems,
    validated,
    with_overrides,
)
from metalab.experiment.own_table import name_override, table_overrides
from metalab.experiment.share_code import experiment_of_code
from metalab.tasks.table import TableFamily


def resolve_config(
    file: Path | None,
    *,
    preset: str | None,
    code: str | None = None,
    assignments: Sequence[str],
    seed: int | None,
    data: Mapping[str, str] | None = None,
) -> ExperimentConfig:
    """Return the experiment: preset or code, then file, table, assignments and seed.

    Args:
        file: A TOML file; what it leaves out comes from the preset.
        preset: Name of a preset, or of a recipe; None takes the one that the file names
            with its key `preset`, the plain defaults with a file that names none, and the default
            preset without a file.
        code: A share code, in place of a preset.
        assignments: "path=value" texts.
        seed: Replaces `run.seed`.
        data: Options of the task family "table", the path of its file among them; its
            other options are guessed or the defaults.

    Raises:
        ConfigError: Something is not allowed; nothing has been written.
    """
    if code is not None and preset is not None:
        raise ConfigError([FieldProblem("--code", "is given beside --preset")])
    base = None
    if code is not None:
        base = experiment_of_code(code)
    elif preset is not None or file is None:
        family = None if data is None else TableFamily.name
        name = preset_named(preset or DEFAULT_PRESET, family=family)
        defaults = ExperimentConfig().to_mapping()
        base = validated(merge(defaults, preset_content(name)))
    config = given = experiment_of({} if file is None else written_in(file), base)
    # Together: a table may need other settings than the preset's, such as fewer shots.
    overrides = [] if data is None else table_overrides(data)
    if data is not None:
        overrides += name_override(config.name, data)
    overrides += [parse_assignment(text) for text in assignments]
    if seed is not None:
        overrides.append(("run.seed", seed))
    config = with_overrides(config, overrides)
    doubts = typed_problems(config, given)
    if doubts:
        raise ConfigError(doubts)
    return config
