"""Reading a run back from its file."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from metalab.engine.config import ExperimentConfig
from metalab.engine.config_history import ConfigHistory
from metalab.engine.diagnostics import diagnostic_order
from metalab.engine.edits import EditError
from metalab.engine.events import (
    METRICS,
    Array,
    Checkpoint,
    Evaluation,
    ProbeTasks,
    frozen,
)
from metalab.engine.overrides import ConfigError
from metalab.runs.history import (
    DiagnosticSeries,
    EvaluationSeries,
    Origin,
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
from metalab.runs.thinning import RowTable
from metalab.runs.trail import GrowingTrail, Trail

_ROWS_AT_ONCE = 50_000
"""Rows of a long run go through Python in parts: all of them would fill the memory."""


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
        except (ConfigError, EditError) as error:
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
    configs = ConfigHistory.from_mapping(facts)
    arrays = {
        name: unpacked(data)
        for name, data in database.execute("SELECT name, data FROM arrays")
    }
    checkpoint = _checkpoint(facts, arrays.get("checkpoint"))
    history = _history(path, database, configs, facts, arrays.get("held-out tasks"))
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
    return _state(facts["checkpoint_step"], arrays, facts)


def _state(
    step: int, arrays: Mapping[str, Array], facts: Mapping[str, Any]
) -> Checkpoint:
    slots = sorted(name for name in arrays if name.startswith("slot"))
    return Checkpoint(
        step=step,
        phi=arrays["phi"],
        slots=tuple(arrays[name] for name in slots),
        slots_from=facts.get("slots_from", 0),
    )


def _trail(database: sqlite3.Connection, facts: Mapping[str, Any]) -> Trail:
    """Return the states of the file, as many as the budget holds."""
    trail = GrowingTrail()
    for step, data in database.execute("SELECT step, phi FROM snapshots ORDER BY step"):
        trail.append(_state(step, unpacked(data), facts))
    return trail.view()


def _history(
    path: Path,
    database: sqlite3.Connection,
    configs: ConfigHistory,
    facts: Mapping[str, Any],
    tasks: Mapping[str, Array] | None,
) -> RunHistory:
    step = facts.get("checkpoint_step", 0)
    config = configs.at(step)
    table = RowTable(config.outer.num_tasks)
    for rows in _metric_rows(database):
        table.append(rows)
    rows = table.rows()
    return RunHistory(
        configs=configs,
        path=path,
        status=_status(facts["status"]),
        device=facts.get("device", ""),
        step=step,
        steps=rows[:, 0],
        seconds=rows[:, 1],
        metrics=table.metrics(),
        sums=table.sums(),
        thinned=table.thinned,
        solves_worry=table.solves_worry,
        evaluations=_evaluations(database, config),
        probe_tasks=None if tasks is None else _probe_tasks(facts, tasks, config),
        curves=None,
        diverged=None,
        failure=None,
        stored_step=step,
        diagnostics=_diagnostics(database),
        trail=_trail(database, facts),
        origin=Origin(**facts["origin"]) if "origin" in facts else None,
        provider=facts.get("provider", ""),
        provider_reason=facts.get("provider_reason", ""),
    )


def whole_rows(history: RunHistory) -> RunHistory:
    """Return a history with the row of every outer step, from the run file if need be.

    Of a run without a file, only those can be returned that are in memory.

    Raises:
        RunFileError: The file cannot be used, or has not come that far.
    """
    if not history.thinned or history.path is None:
        return history
    with closing(open_database(history.path)) as database:
        try:
            parts = list(_metric_rows(database, last=history.step))
        except sqlite3.Error as error:
            raise RunFileError(f"{history.path} is damaged: {error}") from error
    rows = frozen(np.concatenate(parts))
    # What was made since the file was written is whole in memory.
    newer = history.steps > rows[-1, 0]
    columns = [history.steps, history.seconds, *history.metrics.values()]
    rows = np.concatenate([rows, np.stack([c[newer] for c in columns], axis=1)])
    return replace(
        history,
        thinned=0,
        sums={},
        steps=rows[:, 0],
        seconds=rows[:, 1],
        metrics={name: rows[:, 2 + i] for i, name in enumerate(history.metrics)},
    )


def _metric_rows(
    database: sqlite3.Connection, *, last: float = math.inf
) -> Iterator[Array]:
    """Yield the rows of the metrics table in parts, [row, 2 + metric] each."""
    columns = ", ".join(metric_columns(database))
    found = database.execute(
        f"SELECT step, seconds, {columns} FROM metrics WHERE step <= ? ORDER BY step",
        (last,),
    )
    width = 2 + len(METRICS)
    while part := found.fetchmany(_ROWS_AT_ONCE):
        yield np.array(part, dtype=np.float64).reshape(len(part), width)


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
