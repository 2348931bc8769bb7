"""Access of the window to the engine. Importing this module does not import torch.

Call none of these until the engine has been imported (`runs.system.preload`).
"""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metalab.runs.system.home import runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metalab.catalog.recipes import Preset, Recipe
    from metalab.engine.events import Checkpoint
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.bookmarks import Bookmarks
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.recent import RunSummary
    from metalab.runs.running.fork import Fork
    from metalab.tasks.table_view import TableChoice

_SEEDS = 100_000
"""New seeds are below this: short enough to be said aloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceAdvice:
    """What a person is told to change after a divergence.

    Attributes:
        text: In words; "" where nothing fits.
        halved: The setting to halve and start over with; "" where that does not fit.
        label: As the form calls it.
    """

    text: str
    halved: str
    label: str


def all_presets() -> "tuple[tuple[Recipe, Preset], ...]":
    """Return every preset with its recipe, in the order of menus."""
    from metalab.experiment.plugins import usable_presets  # noqa: PLC0415 - torch

    found = usable_presets().values()
    return tuple(sorted(found, key=lambda entry: entry[0].family_rank))


def plugin_problems() -> tuple[str, ...]:
    """Return what others register or bring in files that cannot be used."""
    from metalab.experiment.plugins import plugin_problems as found  # noqa: PLC0415 - torch
    from metalab.figures.registry import figure_problems  # noqa: PLC0415 - plug-ins

    return (*found(), *figure_problems())


def device_problem(config: "ExperimentConfig") -> str:
    """Return why an experiment cannot run on its device; "" if it can."""
    from metalab.engine.build import DeviceError, resolve_device  # noqa: PLC0415 - torch

    # Asked at every refresh of the actions: looking for devices takes time.
    if config.run.device in ("auto", "cpu"):
        return ""
    try:
        resolve_device(config)
    except DeviceError as error:
        return str(error)
    return ""


def preset(name: str) -> "ExperimentConfig":
    """Return the experiment of a preset.

    Raises:
        ValueError: No preset has that name.
    """
    from metalab.experiment.config import preset_config  # noqa: PLC0415 - torch

    return preset_config(name)


def reference(config: "ExperimentConfig") -> "ExperimentConfig":
    """Return the preset that an experiment comes from, or the one nearest to it."""
    from metalab.experiment.naming import reference_of  # noqa: PLC0415 - torch

    return reference_of(config)


def name(config: "ExperimentConfig") -> str:
    """Return what an experiment is called."""
    from metalab.experiment.naming import experiment_name  # noqa: PLC0415 - torch

    return experiment_name(config)


def difference_note(config: "ExperimentConfig", other: "ExperimentConfig") -> str:
    """Return in one phrase what another experiment does otherwise; "" for nothing."""
    from metalab.experiment.changes import difference_note as note  # noqa: PLC0415 - torch

    return note(config, other)


def preset_source(config: "ExperimentConfig") -> tuple[str, str] | None:
    """Return title and source of the preset that an experiment is; None for any other.

    A replicate, of another seed, is the preset still.
    """
    from metalab.experiment.naming import reference_of  # noqa: PLC0415 - torch

    base = reference_of(config)
    if config.digest() != base.digest():
        return None
    return next(
        (found.title, found.source)
        for _, found in all_presets()
        if found.name == base.name
    )


def table_methods() -> tuple[tuple[str, str], ...]:
    """Return title and preset of each method that comes with settings for tables."""
    from metalab.experiment.own_table import table_methods as found  # noqa: PLC0415 - torch

    return found()


def table_experiment(choice: "TableChoice") -> "ExperimentConfig":
    """Return the experiment of a method on a person's own table.

    Raises:
        ConfigError: The table cannot be used.
    """
    from metalab.experiment.own_table import table_experiment as made  # noqa: PLC0415 - torch

    return made(choice.preset, choice.options, num_shots=choice.num_shots)


def share_code(config: "ExperimentConfig") -> str:
    """Return an experiment as one line of text."""
    from metalab.experiment.share_code import share_code as code_of  # noqa: PLC0415 - torch

    return code_of(config)


def is_lesson(path: Path) -> bool:
    """Return whether a TOML file holds a lesson."""
    from metalab.experiment.experiment_file import is_lesson as found  # noqa: PLC0415 - torch

    return found(path)


def experiment_of_file(path: Path) -> "ExperimentConfig":
    """Return the experiment of a TOML file.

    Raises:
        UserError: It cannot be read, or something in it is not allowed.
    """
    from metalab.experiment.experiment_file import read_experiment  # noqa: PLC0415 - torch

    return read_experiment(path)


def save_experiment(path: Path, config: "ExperimentConfig") -> None:
    """Write an experiment to a TOML file.

    Raises:
        OSError: It cannot be written.
    """
    from metalab.experiment.experiment_file import write_experiment  # noqa: PLC0415 - torch

    write_experiment(path, config)


def experiment_of_code(text: str) -> "ExperimentConfig":
    """Return the experiment of a share code.

    Raises:
        ConfigError: It is not a code, or not one of an experiment that is allowed.
    """
    from metalab.experiment import share_code as codes  # noqa: PLC0415 - torch

    return codes.experiment_of_code(text)


def recipe(config: "ExperimentConfig") -> "Recipe | None":
    """Return the recipe whose parts an experiment has, or None."""
    from metalab.experiment.config import recipe_of  # noqa: PLC0415 - torch

    return recipe_of(config)


def with_other_seed(config: "ExperimentConfig") -> "ExperimentConfig":
    """Return the experiment with a seed that is drawn at random, never the same."""
    from metalab.experiment.fields import with_overrides  # noqa: PLC0415 - torch

    seed = secrets.randbelow(_SEEDS - 1)
    # Every seed below the limit but the present one is equally likely.
    return with_overrides(config, [("run.seed", seed + (seed >= config.run.seed))])


def has_inner_solution(config: "ExperimentConfig") -> bool:
    """Return whether the inner problem has a solution that depends on phi alone."""
    jumps = config.loss.component.gradient_jumps
    return config.meta.component.regularised and not jumps


def inner_lr(config: "ExperimentConfig") -> float | None:
    """Return the inner learning rate; None if the inner loop has none."""
    from metalab.experiment.fields import fields_of  # noqa: PLC0415 - torch

    values = (info.value for info in fields_of(config) if info.path == "inner.inner_lr")
    return next(values, None)


def divergence_advice(history: "RunHistory") -> DivergenceAdvice:
    """Return what to change after the divergence of a run."""
    from metalab.analysis.advice import Change, advice, in_words  # noqa: PLC0415 - torch

    assert history.diverged is not None, "nothing has diverged"
    changes = advice(history.next_config, history.diverged)
    halved = changes[0] if changes and changes[0].change is Change.LOWER else None
    return DivergenceAdvice(
        text=in_words(changes, by_label=True),
        halved="" if halved is None else halved.path,
        label="" if halved is None else halved.label,
    )


def with_half(config: "ExperimentConfig", path: str) -> "ExperimentConfig":
    """Return the experiment with half the value of a setting.

    Raises:
        ConfigError: Half of it is below what is allowed.
    """
    from metalab.experiment.fields import fields_of, with_overrides  # noqa: PLC0415

    (value,) = (info.value for info in fields_of(config) if info.path == path)
    return with_overrides(config, [(path, value / 2)])


def stored_history(path: Path) -> "RunHistory":
    """Read a run file, curves included. Takes a while: not for the window's thread.

    Raises:
        RunFileError: The file cannot be used.
    """
    from metalab.runs.services.snapshots import load_history  # noqa: PLC0415 - torch

    return load_history(path)


def write_bookmarks(path: Path, marks: "Bookmarks") -> None:
    """Put bookmarks into a run file. Takes a while: not for the window's thread.

    Raises:
        RunFileError: The file cannot be used or written.
    """
    from metalab.runs.record.store import write_bookmarks as write  # noqa: PLC0415 - torch

    write(path, marks)


def recent_runs(opened: "Mapping[Path, float]", *, most: int) -> "Sequence[RunSummary]":
    """Return the runs that were last written or opened; reads files.

    Args:
        opened: When files were opened, seconds since 1970.
        most: How many.
    """
    from metalab.runs.record.recent import recent_runs as found  # noqa: PLC0415 - torch

    return found([runs_folder()], opened, most=most)


def save_copy(
    path: Path, to: Path, bookmarks: "Bookmarks | None" = None
) -> "RunHistory":
    """Write a run to another file. Takes a while: not for the window's thread.

    Args:
        path: The run file.
        to: The copy.
        bookmarks: Those that the copy shall have; None for those of the file.

    Returns:
        What the copy holds.

    Raises:
        RunFileError: The file cannot be used, or the copy cannot be written.
    """
    from metalab.runs.record.copies import save_copy as save  # noqa: PLC0415 - torch

    return save(path, to, bookmarks=bookmarks)


def lacking(history: "RunHistory") -> str:
    """Return what the file of a run lacks that nobody closed; "" if nothing."""
    from metalab.runs.record.copies import lacking as lacks  # noqa: PLC0415 - torch

    return lacks(history)


def live_changes(
    running: "ExperimentConfig", before: "ExperimentConfig", after: "ExperimentConfig"
) -> "list[tuple[str, Any]]":
    """Return the fields that an edit changed and a run can take while it goes on."""
    from metalab.experiment.edits import live_fields  # noqa: PLC0415 - torch
    from metalab.experiment.fields import fields_of  # noqa: PLC0415 - torch

    old = {info.path: info.value for info in fields_of(before)}
    new = {info.path: info.value for info in fields_of(after)}
    return [
        (path, new[path])
        for path in live_fields(running)
        if path in old and path in new and old[path] != new[path]
    ]


def fork(
    config: "ExperimentConfig",
    parent: "ExperimentConfig",
    state: "Checkpoint",
    bookmarks: "Bookmarks" = (),
) -> "Fork":
    """Return a run that begins where another one stood.

    Raises:
        ForkError: They do not fit together.
    """
    from metalab.runs.running.fork import fork as forked  # noqa: PLC0415 - torch

    return forked(config, parent, state, bookmarks=bookmarks)


def past_of(history: "RunHistory") -> "RunHistory":
    """Read what a run goes on from. Takes a while: not for the window's thread.

    The curves on the screen stay until there are newer ones, and bookmarks stay.

    Raises:
        RunFileError: The file cannot be used, or nothing is left to do.
    """
    from metalab.runs.running.resume import prepare_resume  # noqa: PLC0415 - torch

    assert history.path is not None, "only a run with a file can go on"
    past = prepare_resume(history.path)
    return replace(
        past,
        curves=history.curves,
        bookmarks=history.bookmarks,
        bookmarks_kept=past.bookmarks == history.bookmarks,
    )
