"""Folders in which metalab keeps things on this computer."""

import contextlib
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from metalab.core.paths import obstacle_to_keep

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

RUN_SUFFIX = ".metalab"
HOME_VARIABLE = "METALAB_HOME"

LONGEST_STEM = 80
"""Bytes of a file name that are made of an experiment's name. File systems that encrypt
names hold 143 in all, and dates, suffixes and what SQLite adds need theirs."""

_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")
"""Names that mean a device on Windows, whatever their suffix."""


def _override() -> Path | None:
    value = os.environ.get(HOME_VARIABLE)
    if not value:
        return None
    path = Path(value)
    # "~somebody" of whom nothing is known is a name like any other, as in a shell.
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return path.absolute()


def data_home() -> Path:
    """Return the folder of runs; the variable METALAB_HOME overrides the platform's."""
    return _override() or platformdirs.user_data_path("metalab", appauthor=False)


def config_home() -> Path:
    """Return the folder of preferences and window layout."""
    override = _override()
    if override is not None:
        return override / "config"
    return platformdirs.user_config_path("metalab", appauthor=False)


def log_home() -> Path:
    """Return the folder of logs."""
    override = _override()
    if override is not None:
        return override / "log"
    return platformdirs.user_log_path("metalab", appauthor=False)


def cache_home() -> Path:
    """Return the folder of what can be computed again at any time."""
    override = _override()
    if override is not None:
        return override / "cache"
    return platformdirs.user_cache_path("metalab", appauthor=False)


def runs_folder() -> Path:
    """Return where runs are kept unless a person chooses another place."""
    return data_home() / "runs"


def file_stem(name: str) -> str:
    """Return a part of a file name that every file system takes, from any text."""
    stem = re.sub(r"[^\w.-]+", "-", name)
    # Bytes, not letters, are counted; half a letter at the end is left out.
    stem = stem.encode("utf-8", "replace")[:LONGEST_STEM].decode("utf-8", "ignore")
    return _RESERVED.sub(r"\1_", stem.strip(".")) or "-"


def new_run_path(config: "ExperimentConfig") -> Path:
    """Return the path of a new run file; nothing is made yet.

    The name tells date, experiment and seed; four random digits keep two runs that start
    in one second apart.
    """
    # Imports the catalog and torch: only what makes a run waits for them.
    from metalab.experiment.naming import experiment_name  # noqa: PLC0415

    stamp = datetime.now(UTC).astimezone().strftime("%Y%m%d-%H%M%S")
    name = file_stem(experiment_name(config))
    unique = secrets.token_hex(2)
    return runs_folder() / f"{stamp}-{name}-seed{config.run.seed}-{unique}{RUN_SUFFIX}"


def runs_problem() -> str | None:
    """Return why no run can be kept, as a sentence; None if runs can."""
    return _problem("Runs", runs_folder())


def home_problems() -> list[str]:
    """Return what cannot be kept on this computer and why, one sentence a folder."""
    found = (
        runs_problem(),
        _problem("Preferences", config_home()),
        _problem("Logs", log_home()),
    )
    return [problem for problem in found if problem is not None]


def _problem(what: str, folder: Path) -> str | None:
    obstacle = obstacle_to_keep(folder)
    if obstacle is None:
        return None
    return (
        f"{what} cannot be kept in {folder}: {obstacle}; {HOME_VARIABLE} names another "
        "place"
    )
