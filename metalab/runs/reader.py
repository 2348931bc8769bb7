"""Reading a run back from its file."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metalab.engine.config import ExperimentConfig
from metalab.engine.diagnostics import diagnostic_order
from metalab.engine.events import METRICS, Array, Checkpoint, Evaluation, ProbeTasks
from metalab.engine.overrides import ConfigError, validated
from metalab.runs.history import (
    DiagnosticSeries,
    EvaluationSeries,
    RunHistory,
    evaluation_row,
    no_diagnostics,
)
from metalab.runs.run_file import (
    RunFileError,
    has_diagnostics,
    metric_columns,
    open_database,
    unpacked,
)
from metalab.runs.status import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as its file holds it.

    Attributes:
        history: For plots and tables; `curves` is None (see `runs.replay`).
        checkpoint: Where the run can go on; None if it never started.
        environment: What the run was computed with.
        created: When, ISO 8601, UTC.
    """

    history: RunHistory
    checkpoint: Checkpoint | None
    environment: Mapping[str, str]
    created: str


def open_run(path: Path) -> StoredRun:
    """Read a run file; nothing is written to it.

    Raises:
        RunFileError: The file is missing, foreign, damaged or from a newer metalab.
    """
    with closing(open_database(path)) as database:
        try:
            return _read(path, database)
        except (sqlite3.Error, KeyError, json.JSONDecodeError) as error:
            raise RunFileError(f"{path} is damaged: {error}") from error
        except ConfigError as error:
            raise RunFileError(
                f"{path} holds a configuration of another kind: {error}"
            ) from error


def _read(path: Path, database: sqlite3.Connection) -> StoredRun:
    # One transaction: a run that is being written is seen at one moment.
    database.execute("BEGIN")
    facts = {
        key: json.loads(value)
        for key, value in database.execute("SELECT key, value FROM facts")
    }
    config = validated(facts["config"])
    arrays = {
        name: unpacked(data)
        for name, data in database.execute("SELECT name, data FROM arrays")
    }
    checkpoint = _checkpoint(facts, arrays.get("checkpoint"))
    history = _history(path, database, config, facts, arrays.get("held-out tasks"))
    return StoredRun(
        history=history,
        checkpoint=checkpoint,
        environment=facts["environment"],
        created=facts["created"],
    )


def _checkpoint(
    facts: Mapping[str, Any], arrays: Mapping[str, Array] | None
) -> Checkpoint | None:
    if arrays is None:
        return None
    slots = sorted(name for name in arrays if name.startswith("slot"))
    return Checkpoint(
        step=facts["checkpoint_step"],
        phi=arrays["phi"],
        slots=tuple(arrays[name] for name in slots),
    )


def _history(
    path: Path,
    database: sqlite3.Connection,
    config: ExperimentConfig,
    facts: Mapping[str, Any],
    tasks: Mapping[str, Array] | None,
) -> RunHistory:
    names = [info.name for info in METRICS]
    columns = ", ".join(metric_columns(database))
    found = database.execute(
        f"SELECT step, seconds, {columns} FROM metrics ORDER BY step"
    ).fetchall()
    rows = np.array(found, dtype=np.float64).reshape(len(found), 2 + len(names))
    rows.flags.writeable = False
    return RunHistory(
        config=config,
        path=path,
        status=_status(facts["status"]),
        device=facts.get("device", ""),
        step=facts.get("checkpoint_step", 0),
        steps=rows[:, 0],
        seconds=rows[:, 1],
        metrics={name: rows[:, 2 + i] for i, name in enumerate(names)},
        evaluations=_evaluations(database, config),
        probe_tasks=None if tasks is None else _probe_tasks(facts, tasks, config),
        curves=None,
        diverged=None,
        failure=None,
        stored_step=facts.get("checkpoint_step", 0),
        diagnostics=_diagnostics(database),
        provider=facts.get("provider", ""),
        provider_reason=facts.get("provider_reason", ""),
    )


def _status(word: str) -> RunStatus:
    """Return the status of a run that nobody is running: it has ended somehow."""
    status = RunStatus(word)
    return status if status.ended else RunStatus.STOPPED


def _evaluations(
    database: sqlite3.Connection, config: ExperimentConfig
) -> EvaluationSeries:
    rows = [
        evaluation_row(
            Evaluation(
                step=step,
                support_loss=losses["support_loss"],
                query_loss=losses["query_loss"],
            )
        )
        for step, data in database.execute("SELECT * FROM probes ORDER BY step")
        for losses in [unpacked(data)]
    ]
    width = 1 + 6 * (1 + config.num_shown_steps)
    return EvaluationSeries.from_rows(np.array(rows).reshape(len(rows), width))


def _diagnostics(database: sqlite3.Connection) -> DiagnosticSeries:
    if not has_diagnostics(database):
        return no_diagnostics()
    found = database.execute(
        "SELECT step, name, value FROM diagnostics ORDER BY step"
    ).fetchall()
    if not found:
        return no_diagnostics()
    by_step: dict[int, dict[str, float | None]] = {}
    for step, name, value in found:
        by_step.setdefault(step, {})[name] = value
    names = diagnostic_order(next(iter(by_step.values())))
    rows = [[step, *map(values.get, names)] for step, values in by_step.items()]
    table = np.array(rows, dtype=np.float64)
    table.flags.writeable = False
    columns = {name: table[:, 1 + i] for i, name in enumerate(names)}
    return DiagnosticSeries(steps=table[:, 0], values=columns)


def _probe_tasks(
    facts: Mapping[str, Any], arrays: Mapping[str, Array], config: ExperimentConfig
) -> ProbeTasks:
    return ProbeTasks(
        parameter_names=tuple(facts["parameter_names"]),
        num_inner_steps=config.num_inner_steps,
        **arrays,
    )
