"""Reading a run back from its file."""

import math
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any
from zlib import decompressobj
from zlib import error as zlib_error

import numpy as np

from metalab.analysis.solves import NOT_CONVERGED, NOT_DEFINITE
from metalab.core.errors import UserError
from metalab.engine.diagnostics import diagnostic_order
from metalab.engine.events import (
    METRICS,
    Array,
    Checkpoint,
    Diverged,
    Evaluation,
    HeldOutTasks,
    frozen,
)
from metalab.engine.shapes import (
    SLOT_PREFIX,
    Shapes,
    diagnostic_names,
    evaluation_shapes,
    held_out_shapes,
    state_shapes,
)
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import ConfigError
from metalab.runs.record.assembly import open_database
from metalab.runs.record.checkpoints import CheckpointHistory, GrowingTrail
from metalab.runs.record.file_format import (
    TABLE,
    RunFileError,
    metric_columns,
    schema_of,
)
from metalab.runs.record.file_guard import DamagedError, GuardedReader
from metalab.runs.record.history import (
    DiagnosticSeries,
    EvaluationSeries,
    RunHistory,
    evaluation_row,
    no_diagnostics,
    row_width,
)
from metalab.runs.record.log import METRIC_COLUMNS
from metalab.runs.record.plugin_facts import missing_plugins
from metalab.runs.record.status import RunStatus
from metalab.runs.record.stored_facts import (
    MOST_FACT_BYTES,
    MOST_STEPS,
    StoredFacts,
    most_bytes,
    stored_arrays,
)
from metalab.runs.record.thinning import RowTable
from metalab.tasks.table_reading import MOST_BYTES as MOST_TABLE_BYTES
from metalab.tasks.table_store import look_in, name_of, remember

_MOST_PROBLEMS = 3
"""Of a configuration, that a message names."""

_LARGEST_METRIC = 1e200

_COUNTS = [METRIC_COLUMNS.index(name) for name in (NOT_DEFINITE, NOT_CONVERGED)]

_NUMBER = (int, float, NoneType)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as its file holds it.

    Attributes:
        history: For plots and tables; `curves` is None (see `runs.services.snapshots`).
        checkpoint: Where the run can go on; None if it never started.
        environment: What the run was computed with.
        created: When, ISO 8601, UTC.
    """

    history: RunHistory
    checkpoint: Checkpoint | None
    environment: Mapping[str, str]
    created: str

    def newest_state(self) -> Checkpoint:
        """Return the checkpoint, for what can do nothing without it.

        Raises:
            RunFileError: There is none.
        """
        if self.checkpoint is None:
            raise RunFileError(
                f"{self.history.path} holds no meta-parameters: the run never started, or "
                "this is a copy that was made before its first state was written"
            )
        return self.checkpoint


def open_run(path: Path) -> StoredRun:
    """Read a run file; nothing is written to it.

    Raises:
        RunFileError: The file is missing, foreign, damaged or from a newer metalab.
    """
    # Of a run that carries no more than its table's hash.
    look_in(path.parent)
    with _reading(path) as (database, columns):
        return _read(path, database, columns)


@contextmanager
def _reading(path: Path) -> Generator[tuple[GuardedReader, str], None, None]:
    """Open a run file and look at its tables; whatever is wrong is a `RunFileError`.

    Yields:
        What reads it, and what to select for each of `METRICS`.
    """
    with closing(open_database(path)) as connection:
        try:
            # One transaction: a run that is being written is seen at one moment.
            connection.execute("BEGIN")
            database = GuardedReader(connection, schema_of(connection))
            yield database, ", ".join(metric_columns(connection))
        except (sqlite3.Error, DamagedError) as error:
            raise RunFileError(f"{path} is damaged: {error}") from error
        except UserError as error:
            if isinstance(error, RunFileError):
                raise
            words = "; ".join(str(error).splitlines()[:_MOST_PROBLEMS])
            raise RunFileError(
                f"{path} holds a configuration of another kind: {words}"
            ) from error
        except MemoryError as error:
            raise RunFileError(f"{path} does not fit into memory") from error


def _read(path: Path, database: GuardedReader, columns: str) -> StoredRun:
    keep_tables(database)
    database.limit_values(MOST_FACT_BYTES)
    facts = StoredFacts.from_rows(database.rows("SELECT key, value FROM facts"))
    configs = _configs(path, facts)
    config = configs.at(facts.step)
    states, held_out = state_shapes(config), held_out_shapes(config)
    database.limit_values(most_bytes(states, held_out, evaluation_shapes(config)))
    blobs = _blobs(database)
    checkpoint = tasks = None
    if "checkpoint" in blobs:
        part = "array checkpoint"
        arrays = stored_arrays(blobs["checkpoint"], states, part)
        checkpoint = _state(facts.step, arrays, facts, part)
    if "held-out tasks" in blobs:
        tasks = _held_out_tasks(facts, blobs["held-out tasks"], held_out, config)
    if (checkpoint is None) != (facts.checkpoint_step is None):
        raise DamagedError("of the checkpoint, step or arrays are missing")
    if checkpoint is not None and tasks is None:
        raise DamagedError("it holds a checkpoint, but no held-out tasks")
    table = RowTable(config.outer.num_tasks)
    for rows in _metric_rows(database, columns):
        table.append(rows)
    rows = table.rows()
    diverged = _diverged(database, facts)
    stopped = facts.ending is RunStatus.STOPPED
    history = RunHistory(
        configs=configs,
        path=path,
        status=RunStatus.DIVERGED if stopped and diverged else facts.ending,
        cut_short=not facts.status.ended,
        device=facts.device,
        step=facts.step,
        steps=rows[:, 0],
        seconds=rows[:, 1],
        metrics=table.metrics(),
        sums=table.sums(),
        thinned=table.thinned,
        solves_worry=table.solves_worry,
        evaluations=_evaluations(database, config),
        held_out_tasks=tasks,
        curves=None,
        diverged=diverged,
        failure=None,
        stored_step=facts.step,
        diagnostics=_diagnostics(database, config),
        trail=_trail(database, facts, states),
        origin=facts.origin_of_fork(),
        bookmarks=facts.marks(),
        provider=facts.provider,
        provider_reason=facts.provider_reason,
    )
    return StoredRun(
        history=history,
        checkpoint=checkpoint,
        environment=facts.environment,
        created=facts.created,
    )


def _configs(path: Path, facts: StoredFacts) -> ConfigHistory:
    """Return the experiment of a file.

    Raises:
        RunFileError: A component is missing, and the file tells which plug-in had it.
        UserError: The experiment cannot be used.
    """
    try:
        return facts.configs()
    except ConfigError as error:
        missing = missing_plugins(facts.environment, facts.config)
        if not missing:
            raise
        raise RunFileError(f"{path} needs {missing}") from error


def _blobs(database: GuardedReader) -> Mapping[str, object]:
    """Return the rows of the table of arrays: there are two at most."""
    blobs: dict[str, object] = {}
    for name, data in database.rows(
        "SELECT name, data FROM arrays WHERE name NOT LIKE ?", f"{TABLE}%"
    ):
        if name not in ("checkpoint", "held-out tasks"):
            raise DamagedError("table arrays holds what no run writes")
        blobs[name] = data
    return blobs


def keep_tables(database: GuardedReader) -> None:
    """Keep the table that a run carries: its settings name it.

    Raises:
        DamagedError: It is not the one that was stored.
    """
    database.limit_values(MOST_TABLE_BYTES)
    rows = database.rows("SELECT name, data FROM arrays WHERE name LIKE ?", f"{TABLE}%")
    for name, data in rows:
        if not isinstance(name, str) or not isinstance(data, bytes):
            raise DamagedError("table arrays holds what no run writes")
        reference = name.removeprefix(TABLE)
        unpacker = decompressobj()
        try:
            content = unpacker.decompress(data, MOST_TABLE_BYTES)
        except zlib_error as error:
            raise DamagedError(f"table {name_of(reference)!r}: {error}") from error
        if not unpacker.eof or remember(name_of(reference), content) != reference:
            raise DamagedError(f"table {name_of(reference)!r} is another than it was")


def _state(
    step: int, arrays: Mapping[str, Array], facts: StoredFacts, part: str
) -> Checkpoint:
    if not np.isfinite(arrays["phi"]).all():
        raise DamagedError(f"{part}: phi holds what is no finite number")
    if step < facts.slots_from:
        raise DamagedError(
            f"{part}: outer step {step:,} lies before {facts.slots_from:,}, where the "
            "optimiser's state was zero"
        )
    slots = (arrays.get(f"{SLOT_PREFIX}{index}") for index in range(len(arrays)))
    return Checkpoint(
        step=step,
        phi=arrays["phi"],
        slots=tuple(slot for slot in slots if slot is not None),
        slots_from=facts.slots_from,
    )


def _trail(
    database: GuardedReader, facts: StoredFacts, shapes: Shapes
) -> CheckpointHistory:
    """Return the states of the file, as many as the budget holds."""
    trail = GrowingTrail()
    rows = database.rows("SELECT step, phi FROM snapshots ORDER BY step")
    for step, data in _ascending(rows, "snapshots"):
        trail.append(_snapshot(step, data, facts, shapes))
    return trail.view()


def _snapshot(
    step: int, data: object, facts: StoredFacts, shapes: Shapes
) -> Checkpoint:
    part = f"snapshot of step {step:,}"
    # Before 0.4 the state of the optimiser was not kept.
    slots = [name for name in shapes if name.startswith(SLOT_PREFIX)]
    arrays = stored_arrays(data, shapes, part, optional=slots)
    return _state(step, arrays, facts, part)


def _ascending(
    rows: Iterable[tuple[Any, ...]], table: str
) -> Iterator[tuple[Any, ...]]:
    """Pass on rows whose first column is an outer step, each after the one before.

    Of a damaged database one page may come again and again.
    """
    last = -1
    for row in rows:
        step = row[0]
        if not isinstance(step, int) or not last < step <= MOST_STEPS:
            raise DamagedError(f"table {table}, after step {last}: out of order")
        last = step
        yield row


def check_whole(path: Path) -> None:
    """Look at every page of a run file, before anything is written to it.

    Raises:
        RunFileError: The file cannot be used, or some page of it is damaged.
    """
    with _reading(path) as (database, _):
        database.check_whole()


def stored_state_before(path: Path, step: int) -> Checkpoint | None:
    """Return the last training state of a file up to an outer step.

    Raises:
        RunFileError: The file cannot be used.
    """
    with _reading(path) as (database, _):
        database.limit_values(MOST_FACT_BYTES)
        keep_tables(database)
        facts = StoredFacts.from_rows(database.rows("SELECT key, value FROM facts"))
        shapes = state_shapes(_configs(path, facts).at(facts.step))
        database.limit_values(most_bytes(shapes))
        found = database.rows(
            "SELECT step, phi FROM snapshots WHERE step <= ? ORDER BY step DESC LIMIT 1",
            step,
        )
        for at, data in _ascending(found, "snapshots"):
            return _snapshot(at, data, facts, shapes)
    return None


def whole_rows(history: RunHistory) -> RunHistory:
    """Return a history with the row of every outer step, from the run file if need be.

    Of a run without a file, only those can be returned that are in memory.

    Raises:
        RunFileError: The file cannot be used, or has not come that far.
    """
    if not history.thinned or history.path is None:
        return history
    with _reading(history.path) as (database, columns):
        parts = list(_metric_rows(database, columns, last=history.step))
        if not parts:
            raise DamagedError("table metrics has no rows any more")
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
    database: GuardedReader, columns: str, *, last: float = math.inf
) -> Iterator[Array]:
    """Yield the rows of the metrics table in parts, [row, 2 + metric] each."""
    width = 2 + len(METRICS)
    before = 0.0
    for part in database.parts(
        f"SELECT step, seconds, {columns} FROM metrics WHERE step <= ? ORDER BY step",
        last,
    ):
        where = f"table metrics, after step {before:.0f}"
        try:
            rows = np.array(part, dtype=np.float64).reshape(len(part), width)
        except (TypeError, ValueError) as error:
            raise DamagedError(f"{where}: it holds what is no number") from error
        steps, seconds = np.append(before, rows[:, 0]), rows[:, 1]
        if not (np.diff(steps) > 0).all() or steps[-1] > MOST_STEPS:
            raise DamagedError(f"{where}: its steps are out of order")
        if not (np.isfinite(seconds) & (seconds >= 0)).all():
            raise DamagedError(f"{where}: seconds is no duration")
        # An exploding run ends long before; sums of such numbers would overflow.
        if (np.isfinite(rows) & (np.abs(rows) > _LARGEST_METRIC)).any():
            raise DamagedError(f"{where}: a metric is larger than {_LARGEST_METRIC:g}")
        counts = rows[:, _COUNTS]
        known = ~np.isnan(counts)
        if not (known == known[:, :1]).all() or not _whole(counts[known]).all():
            raise DamagedError(f"{where}: a number of linear systems is no count")
        before = steps[-1]
        yield rows


def _whole(numbers: Array) -> Array:
    return (numbers >= 0) & (numbers == np.floor(numbers))


def _diverged(database: GuardedReader, facts: StoredFacts) -> Diverged | None:
    """Return what exploded, of a run that stands where it was set back to.

    Before 0.6 the file says so in a flag alone, in words.
    """
    if facts.tells_of_divergence:
        return facts.divergence()
    found = database.rows(
        "SELECT step, message FROM flags WHERE kind = 'diverged' "
        "ORDER BY rowid DESC LIMIT 1"
    )
    for step, message in found:
        if not isinstance(step, int) or not isinstance(message, str):
            raise DamagedError("table flags holds what is no text")
        return Diverged.of_message(step, message) if step > facts.step else None
    return None


def _evaluations(database: GuardedReader, config: ExperimentConfig) -> EvaluationSeries:
    shapes = evaluation_shapes(config)
    rows: list[Array] = []
    found = database.rows("SELECT step, data FROM probes ORDER BY step")
    for step, data in _ascending(found, "probes"):
        losses = stored_arrays(data, shapes, f"evaluation of step {step:,}")
        rows.append(
            evaluation_row(
                Evaluation(
                    step=step,
                    support_loss=losses["support_loss"],
                    query_loss=losses["query_loss"],
                )
            )
        )
    width = row_width(1 + config.num_shown_steps)
    return EvaluationSeries.from_rows(np.array(rows).reshape(len(rows), width))


def _diagnostics(database: GuardedReader, config: ExperimentConfig) -> DiagnosticSeries:
    if not database.has("diagnostics"):
        return no_diagnostics()
    known = diagnostic_names(config)
    by_step: dict[int, dict[str, float | None]] = {}
    last = (-1, "")
    for step, name, value in database.rows(
        "SELECT step, name, value FROM diagnostics ORDER BY step, name"
    ):
        fits = name in known and isinstance(step, int) and isinstance(value, _NUMBER)
        if not fits or not last < (step, name) <= (MOST_STEPS, name):
            raise DamagedError(f"table diagnostics, after step {last[0]}")
        last = (step, name)
        by_step.setdefault(step, {})[name] = value
    if not by_step:
        return no_diagnostics()
    names = diagnostic_order({name for values in by_step.values() for name in values})
    rows = [[step, *map(values.get, names)] for step, values in by_step.items()]
    table = np.array(rows, dtype=np.float64)
    table.flags.writeable = False
    columns = {name: table[:, 1 + i] for i, name in enumerate(names)}
    return DiagnosticSeries(steps=table[:, 0], values=columns)


def _held_out_tasks(
    facts: StoredFacts, data: object, shapes: Shapes, config: ExperimentConfig
) -> HeldOutTasks:
    # Of points that had no axis yet; also beside a configuration brought up to date.
    flat = {name: shape[:2] for name, shape in shapes.items() if len(shape) == 3}
    arrays = stored_arrays(
        data,
        shapes,
        "held-out tasks",
        optional=["true_curves"],
        earlier=flat,
    )
    names = facts.parameter_names
    if len(names) != arrays["parameters"].shape[1]:
        raise DamagedError(f"fact 'parameter_names' has {len(names)} names")
    if len(facts.task_names) not in (0, len(arrays["parameters"])):
        raise DamagedError(f"fact 'task_names' has {len(facts.task_names)} names")
    return HeldOutTasks.of_arrays(
        arrays,
        parameter_names=names,
        num_inner_steps=config.num_inner_steps,
        names=facts.task_names,
        input_name=facts.input_name,
        target_name=facts.target_name,
    )
