"""Where metalab keeps things on this computer."""

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig

RUN_SUFFIX = ".metalab"


def _override() -> Path | None:
    value = os.environ.get("METALAB_HOME")
    return Path(value).expanduser().absolute() if value else None


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
    """Return a name as part of a file's name: letters, digits, dots and hyphens."""
    return re.sub(r"[^\w.-]+", "-", name)


def new_run_path(config: "ExperimentConfig") -> Path:
    """Return the path of a new run file; nothing is made yet.

    The name tells date, experiment and seed; four random digits keep two runs that start
    in one second apart.
    """
    # Brings the catalog and torch along, which nobody waits for who makes no run.
    from metalab.engine.naming import experiment_name  # noqa: PLC0415

    stamp = datetime.now(UTC).astimezone().strftime("%Y%m%d-%H%M%S")
    name = file_stem(experiment_name(config))
    unique = secrets.token_hex(2)
    return runs_folder() / f"{stamp}-{name}-seed{config.run.seed}-{unique}{RUN_SUFFIX}"
