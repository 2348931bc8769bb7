"""Commands that make a run, and its numbers, again."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from metalab.experiment.changes import changes, kind_path
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import ConfigError, parse_assignment, with_overrides
from metalab.experiment.naming import has_own_name, reference_of
from metalab.experiment.share_code import share_code
from metalab.runs.record.history import RunHistory

_SEED = "run.seed"


def train_command(config: ExperimentConfig, out: str) -> str:
    """Return the command that trains an experiment from its first step.

    As a preset and what is changed of it, where that makes the very experiment; else by
    its share code, which holds all of it.

    Args:
        config: The experiment.
        out: The run file to create.
    """
    reference = reference_of(config)
    texts = [
        _assignment(change.info.path, change.ours)
        for change in changes(config, reference)
        if change.info.path != _SEED
    ]
    if has_own_name(config):
        texts.append(_assignment("name", config.name))
    words = ["metalab", "train"]
    if _makes(texts, reference.name, config):
        words += ["--preset", reference.name]
        words += [word for text in texts for word in ("--set", text)]
    else:
        words += ["--code", share_code(config)]
    return shlex.join([*words, "--seed", str(config.run.seed), "--out", out])


def _assignment(path: str, value: Any) -> str:
    """Return "path=value" with the value in TOML."""
    if isinstance(value, tuple | list):
        return f"{path}=[{', '.join(_written(entry) for entry in value)}]"
    return f"{path}={_written(value)}"


def _written(value: Any) -> str:
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def _makes(texts: Sequence[str], preset: str, config: ExperimentConfig) -> bool:
    """Return whether assignments make the experiment of a preset, digest and all."""
    try:
        assigned = [parse_assignment(text) for text in texts]
        # Kinds first: setting one resets the options of its component.
        assigned.sort(key=lambda entry: kind_path(entry[0]) is not None)
        made = with_overrides(preset_config(preset), assigned)
    except ConfigError:
        return False
    return made.digest() == config.digest() and made.name == config.name


def commands_of(history: RunHistory, name: str, *, num_inner_steps: int) -> list[str]:
    """Return what makes a run and the numbers of its report again.

    Args:
        history: The run.
        name: Of its file.
        num_inner_steps: K' of the held-out table.
    """
    lines = [train_command(history.config_at(0), name)]
    steps = ["--num-inner-steps", str(num_inner_steps)]
    lines.append(shlex.join(["metalab", "eval", name, *steps]))
    to = f"{Path(name).stem}.html"
    return [*lines, shlex.join(["metalab", "report", name, "--to", to])]


def not_repeated(history: RunHistory) -> str:
    """Return what `train_command` leaves out of a run; "" where it makes all of it."""
    edits = history.configs.edits_before(history.step)
    told: list[str] = []
    if history.origin is not None:
        told.append(
            f"The run is a fork of {history.origin.parent} at outer step "
            f"{history.origin.step:,}: the command trains it from the first step."
        )
    if edits:
        listed = "; ".join(
            f"{edit.path} = {edit.value} from step {edit.step:,}" for edit in edits
        )
        told.append(
            f"While the run went on, a person changed: {listed}. The command does not."
        )
    return " ".join(told)
