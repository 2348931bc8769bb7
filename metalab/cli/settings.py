"""The settings of experiments as tables and as JSON, for `show` and `presets`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from metalab.cli.config_source import resolve_config
from metalab.cli.output import console
from metalab.core.paths import is_there
from metalab.experiment.changes import (
    all_differences,
    changes,
    defaults_of,
    group_title,
    is_default,
    setting_text,
    unit_of,
)
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import fields_of
from metalab.experiment.naming import experiment_name, reference_of
from metalab.experiment.share_code import PREFIX
from metalab.runs.record.bookmarks import Bookmarks, as_fact
from metalab.runs.record.reader import open_run
from metalab.runs.system.home import RUN_SUFFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An experiment to be printed.

    Attributes:
        name: What to call it.
        config: Its settings.
        bookmarks: Of a run, the outer steps that a person has marked; else None.
    """

    name: str
    config: ExperimentConfig
    bookmarks: Bookmarks | None = None


def shown_experiment(text: str) -> Shown:
    """Return the experiment that a word of the command line means.

    Args:
        text: Name of a preset, path of a run file or of an experiment file, or a share
            code.

    Raises:
        UserError: There is no such thing, or it cannot be used.
    """
    path = Path(text)
    if text.startswith(PREFIX):
        config = resolve_config(None, preset=None, code=text, assignments=[], seed=None)
    elif path.suffix.lower() == RUN_SUFFIX or (
        path.suffix.lower() != ".toml" and is_there(path)
    ):
        history = open_run(path).history
        return Shown(
            name=history.name,
            config=history.next_config,
            bookmarks=history.bookmarks or (),
        )
    elif path.suffix.lower() == ".toml":
        config = resolve_config(path, preset=None, assignments=[], seed=None)
    else:
        config = resolve_config(None, preset=text, assignments=[], seed=None)
    return Shown(name=experiment_name(config), config=config)


def print_settings(shown: Shown) -> None:
    """Print every setting, by group; what is the default is pale and says so."""
    config = shown.config
    infos, defaults = fields_of(config), defaults_of(config)
    table = Table(title=f"Settings of {shown.name}")
    for heading in ("Setting", "Key"):
        table.add_column(heading, overflow="fold")
    table.add_column("Value", overflow="fold", justify="right")
    for heading in ("Unit", ""):
        table.add_column(heading, overflow="fold")
    last = ""
    for info in infos:
        if info.group != last:
            table.add_section()
            table.add_row(group_title(info.group, infos), style="bold")
            last = info.group
        default = is_default(info, defaults)
        table.add_row(
            info.spec.label,
            info.path,
            setting_text(info, info.value),
            "" if info.spec.word_for(info.value) else unit_of(info),
            "default" if default else "",
            style="dim" if default else None,
        )
    console().print(table)
    reference = reference_of(config)
    count = len(changes(config, reference))
    if count == 0:
        console().print(f"The same as preset {reference.name}.")
    else:
        console().print(
            f"{count} setting{'s differ' if count > 1 else ' differs'} from preset "
            f"{reference.name}, the seed included: see --diff {reference.name}"
        )
    _print_bookmarks(shown.bookmarks or ())


def _print_bookmarks(marks: Bookmarks) -> None:
    if not marks:
        return
    table = Table(title="Bookmarks")
    table.add_column("Outer step", justify="right")
    table.add_column("Inner step", justify="right")
    table.add_column("Note", overflow="fold")
    for mark in marks:
        table.add_row(f"{mark.step:,}", str(mark.inner_step), mark.note)
    console().print(table)


def facts_of(shown: Shown) -> dict[str, Any]:
    """Return every setting as plain values."""
    config = shown.config
    infos, defaults = fields_of(config), defaults_of(config)
    reference = reference_of(config)
    return {
        "name": shown.name,
        "preset": reference.name,
        "digest": config.digest(),
        "seed": config.run.seed,
        "changes": [change.info.path for change in changes(config, reference)],
        "settings": [
            {
                "key": info.path,
                "label": info.spec.label,
                "group": group_title(info.group, infos),
                "value": info.value,
                "unit": unit_of(info) or None,
                "default": is_default(info, defaults),
            }
            for info in infos
        ],
        **({} if shown.bookmarks is None else {"bookmarks": as_fact(shown.bookmarks)}),
    }


def difference_facts(mine: Shown, other: Shown) -> dict[str, Any]:
    """Return the settings in which two experiments differ as plain values.

    A setting that one of them does not have is null there.
    """
    infos = [*fields_of(mine.config), *fields_of(other.config)]
    return {
        "name": mine.name,
        "other": other.name,
        "differences": [
            {
                "key": change.info.path,
                "label": change.info.spec.label,
                "group": group_title(change.info.group, infos),
                "value": change.ours,
                "other": change.theirs,
                "unit": unit_of(change.info) or None,
            }
            for change in all_differences(mine.config, other.config)
        ],
    }
