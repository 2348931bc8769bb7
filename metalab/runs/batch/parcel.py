"""A run as it travels to another process: settings as plain values, tables, plug-ins."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import validated
from metalab.runs.batch.batch import BatchError, PlannedRun
from metalab.runs.record.plugin_facts import (
    changed_plugins,
    missing_plugins,
    plugin_facts,
)
from metalab.tasks.table import TableFamily
from metalab.tasks.table_store import content_of, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """All that another process needs to carry out a run.

    Attributes:
        content: The experiment as plain values: its classes are made at run time.
        digest: Of the experiment, to see that it is understood alike.
        plugins: Names and digests of the plug-in files that its components are from.
            The code itself does not travel: a process has its own plug-ins.
        table: The table that its tasks are rows of, by what the experiment calls it.
        path: Its run file.
        stop_at: See `PlannedRun`.
    """

    content: Mapping[str, Any]
    digest: str
    plugins: Mapping[str, str]
    table: tuple[str, bytes] | None
    path: Path
    stop_at: int | None


def pack(planned: PlannedRun) -> Parcel:
    """Return a run for the journey."""
    config = planned.config
    return Parcel(
        content=config.to_mapping(),
        digest=config.digest(),
        plugins=plugin_facts(config),
        table=_table_of(config),
        path=planned.path,
        stop_at=planned.stop_at,
    )


def unpack(parcel: Parcel) -> PlannedRun:
    """Return a run that has arrived.

    Raises:
        BatchError: It is of a plug-in that this process lacks or has otherwise, or it is
            understood otherwise here.
        ConfigError: It is no experiment here.
    """
    missing = missing_plugins(parcel.plugins, parcel.content)
    if missing:
        raise BatchError(f"the run needs {missing}")
    if parcel.table is not None:
        reference, content = parcel.table
        remember(reference.rsplit("@", 1)[0], content)
    config = validated(dict(parcel.content))
    changed = changed_plugins(parcel.plugins, config)
    if changed:
        raise BatchError(f"the run would be another one here: {changed[0]}")
    if config.digest() != parcel.digest:
        raise BatchError(
            f"the experiment has the digest {config.digest()} here and {parcel.digest} "
            "where it was planned: the two metalabs are of different versions"
        )
    return PlannedRun(config=config, path=parcel.path, stop_at=parcel.stop_at)


def _table_of(config: ExperimentConfig) -> tuple[str, bytes] | None:
    family: Any = config.tasks.family
    if family.component is not TableFamily:
        return None
    content = content_of(family.data)
    return None if content is None else (family.data, content)
