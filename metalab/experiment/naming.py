"""Names of experiments: a person's own, or derived from what they change of a preset.

A preset's name on an experiment that is no longer the preset would be a lie. So nobody
shows `ExperimentConfig.name` as it is: titles, file names, captions and lists ask here.
"""

from collections.abc import Sequence
from functools import lru_cache

from metalab.experiment.changes import Change, changes, value_text
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.edit import Edit
from metalab.experiment.plugins import usable_presets

_NOT_IN_NAMES = ("run.seed", "diagnostics.")
"""Beginnings of paths that no name tells: replicates share theirs, and a seed stands beside
it wherever it matters; diagnostics change no number of a run."""

_LONGEST = 80
"""Characters of a name, as in `ExperimentConfig.name`."""


def reference_of(config: ExperimentConfig) -> ExperimentConfig:
    """Return the preset that an experiment comes from, else the one nearest to it.

    The nearest one is the one with the fewest changes, the first of them in a menu.
    """
    return _reference_of(config.model_dump_json(serialize_as_any=True))


# By content, since a configuration is no key; finding the nearest preset takes a while.
@lru_cache(maxsize=256)
def _reference_of(content: str) -> ExperimentConfig:
    config = ExperimentConfig.model_validate_json(content)
    for name in (config.preset, config.name):
        if name in usable_presets():
            return preset_config(name)
    return min(
        (preset_config(name) for name in usable_presets()),
        key=lambda preset: len(changes(config, preset)),
    )


def has_own_name(config: ExperimentConfig) -> bool:
    """Return whether a person has named the experiment."""
    return config.name not in usable_presets()


def derived_name(config: ExperimentConfig) -> str:
    """Return what an experiment is called by itself: its preset, and what it changes.

    "maml-sine", "maml-sine, inner_lr 0.05" or "maml-sine, 3 changes".
    """
    return _derived_name(config.model_dump_json(serialize_as_any=True))


@lru_cache(maxsize=256)
def _derived_name(content: str) -> str:
    config = ExperimentConfig.model_validate_json(content)
    return _with_note(reference_of(config).name, told_changes(config))


def told_changes(config: ExperimentConfig) -> list[Change]:
    """Return what an experiment changes of its preset, apart from seed and diagnostics."""
    return [c for c in changes(config, reference_of(config)) if _is_told(c)]


def _is_told(change: Change) -> bool:
    return not change.info.path.startswith(_NOT_IN_NAMES)


def _with_note(name: str, told: Sequence[Change]) -> str:
    if not told:
        return name
    if len(told) == 1:
        (change,) = told
        note = setting_text(change.info.path, change.ours)
        if len(f"{name}, {note}") <= _LONGEST:
            return f"{name}, {note}"
        return f"{name}, 1 change"
    return f"{name}, {len(told)} changes"


def setting_text(path: str, value: object) -> str:
    """Return a setting and its value in short, such as "inner_lr 0.05"."""
    *parents, key = path.split(".")
    return f"{parents[-1] if key == 'kind' else key} {value_text(value)}"


def experiment_name(config: ExperimentConfig, edits: tuple[Edit, ...] = ()) -> str:
    """Return what to call an experiment, or a run of it.

    Args:
        config: The experiment; of a run, as it began.
        edits: What was changed while the run went on.

    Returns:
        A person's own name, or the derived one; with the edits behind it.
    """
    name = config.name if has_own_name(config) else derived_name(config)
    if not edits:
        return name
    if len(edits) == 1:
        (edit,) = edits
        note = f"{setting_text(edit.path, edit.value)} from step {edit.step:,}"
    else:
        note = f"{len(edits)} edits from step {min(e.step for e in edits):,}"
    return f"{name}, {note}"


def named(config: ExperimentConfig, name: str) -> ExperimentConfig:
    """Return the experiment with a name of a person's own; "" derives it again.

    The preset that it comes from stays known.

    Raises:
        ValueError: The name is too long or has characters that none may have.
    """
    reference = reference_of(config).name
    content = config.to_mapping() | {"name": name or reference, "preset": reference}
    return ExperimentConfig.model_validate(content)
