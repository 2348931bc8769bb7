"""Writing a run to its file, from the run's thread, in batches."""

import json
import math
import os
import platform
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from metalab.engine.edit import Edit
from metalab.engine.events import (
    METRICS,
    Array,
    Checkpoint,
    DiagnosticsTaken,
    Diverged,
    Event,
    ProbeTaken,
    ProbeTasks,
    RunStarted,
    StepsDone,
)
from metalab.engine.naming import experiment_name
from metalab.engine.trainer import Trainer
from metalab.runs.environment import environment
from metalab.runs.live import LiveRun
from metalab.runs.run_file import (
    RunFileError,
    create_database,
    migrate,
    open_database,
    packed,
)
from metalab.runs.status import RunStatus

FLUSH_SECONDS = 1.0
"""Time between two writes; what a crash of the machine can cost is at most twice this."""

_INSERT_METRICS = "INSERT OR REPLACE INTO metrics ({}) VALUES ({})".format(
    ", ".join(["step", "seconds", *(info.name for info in METRICS)]),
    ", ".join("?" * (2 + len(METRICS))),
)


class RunStore:
    """The writer of one run file; a `Sink` of `execute`.

    A write that fails (full disk, folder gone) keeps its rows in memory, says so in
    `LiveRun.set_storage_problem`, and is tried again; only the last one raises.

    Thread: the run's thread.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        live: LiveRun,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._live = live
        self._clock = clock
        self._written_at = clock()
        self._facts: dict[str, object] = {}
        self._arrays: dict[str, Mapping[str, Array]] = {}
        self._rows: list[tuple[float, ...]] = []
        self._probes: list[ProbeTaken] = []
        self._diagnostics: list[tuple[int, str, float]] = []
        self._flags: list[tuple[int, str, str]] = []
        self._is_diverged = False
        self._rewound_to: int | None = None
        self._written_configs: object = None

    @classmethod
    def create(cls, path: Path, live: LiveRun) -> "RunStore":
        """Create the run file of a new run.

        Raises:
            RunFileError: The file exists already or cannot be created.
        """
        store, config = cls(create_database(path), live), live.config
        store._facts |= {
            "name": experiment_name(config),
            "digest": config.digest(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": dict(environment()),
            "status": RunStatus.STARTING.value,
            "writer": _this_process(),
        }
        store._write(None)
        return store

    @classmethod
    def reopen(cls, path: Path, live: LiveRun) -> "RunStore":
        """Open the file of a run that goes on.

        Raises:
            RunFileError: The file cannot be used, or another process is writing it.
        """
        connection = open_database(path, write=True)
        row = connection.execute("SELECT value FROM facts WHERE key = 'writer'")
        writer = json.loads((row.fetchone() or ["null"])[0])
        if writer and writer != _this_process() and _alive(writer):
            connection.close()
            raise RunFileError(
                f"{path} is being written by process {writer['pid']}; stop that run first"
            )
        try:
            migrate(connection)
        except RunFileError:
            connection.close()
            raise
        store = cls(connection, live)
        # A run that diverged has not any more, once it has made a step.
        store._is_diverged = True
        store._facts["writer"] = _this_process()
        store._write(None)
        return store

    def on_event(self, event: Event, seconds: float) -> None:
        """Take in what the trainer said."""
        if isinstance(event, RunStarted):
            self._facts |= {"device": event.device, "provider": event.provider}
            self._facts["provider_reason"] = self._live.snapshot().provider_reason
            origin = self._live.snapshot().origin
            if origin is not None:
                self._facts["origin"] = asdict(origin)
            self._facts["parameter_names"] = event.probe_tasks.parameter_names
            self._arrays["held-out tasks"] = _task_arrays(event.probe_tasks)
        elif isinstance(event, StepsDone):
            self._take_steps(event, seconds)
        elif isinstance(event, ProbeTaken):
            self._probes.append(event)
            self._measured(event.evaluation.step, event.stability)
        elif isinstance(event, DiagnosticsTaken):
            self._measured(event.step, event.values)
        elif isinstance(event, Edit):
            self._flags.append((event.step, "edited", f"{event.path} = {event.value}"))
        elif isinstance(event, Diverged):
            self._rewind(event.last_good_step)
            self._flags.append((event.step, "diverged", event.message))
            # JSON has no word for what is not finite.
            value = event.value if math.isfinite(event.value) else str(event.value)
            self._facts["diverged"] = asdict(event) | {"value": value}
            self._is_diverged = True
        else:
            self._facts["status"] = RunStatus.FINISHED.value

    def _take_steps(self, event: StepsDone, seconds: float) -> None:
        self._rewind(event.first_step - 1)
        if self._is_diverged:
            self._is_diverged = False
            self._facts["diverged"] = None
        numbers = range(event.first_step, event.last_step + 1)
        self._rows += [
            (step, seconds, *row)
            for step, row in zip(numbers, event.metrics.tolist(), strict=True)
        ]

    def _measured(self, step: int, values: Mapping[str, float]) -> None:
        self._diagnostics += [(step, name, value) for name, value in values.items()]

    def _rewind(self, step: int) -> None:
        """Forget what came after `step`: training went back to it."""
        if self._rows and self._rows[-1][0] > step:
            self._rows = [row for row in self._rows if row[0] <= step]
        self._probes = [p for p in self._probes if p.evaluation.step <= step]
        self._diagnostics = [row for row in self._diagnostics if row[0] <= step]
        earlier = self._rewound_to
        self._rewound_to = step if earlier is None else min(earlier, step)

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Write what was taken in, if it is time to or with `force`.

        Raises:
            RunFileError: A forced write failed.
        """
        if not force and self._clock() - self._written_at < FLUSH_SECONDS:
            return
        try:
            self._write(trainer.checkpoint())
        except RunFileError as error:
            self._live.set_storage_problem(str(error))
            if force:
                raise
        else:
            self._live.set_storage_problem(None)
            self._live.set_stored(trainer.step)
        self._written_at = self._clock()

    def close(self, status: RunStatus) -> None:
        """Write the final status and close the file.

        Raises:
            RunFileError: The status could not be written.
        """
        self._facts |= {"status": status.value, "writer": None}
        try:
            self._write(None)
            # Back to one plain file: it can be copied, and read without leaving traces.
            self._connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._connection.close()

    def _write(self, checkpoint: Checkpoint | None) -> None:
        arrays = dict(self._arrays)
        if checkpoint is not None:
            arrays["checkpoint"] = _state_arrays(checkpoint)
            self._facts["checkpoint_step"] = checkpoint.step
            self._facts["slots_from"] = checkpoint.slots_from
        configs = self._live.configs
        if configs is not self._written_configs:
            self._facts |= configs.to_mapping()
        try:
            with _transaction(self._connection) as database:
                self._write_rows(database, arrays)
        except (sqlite3.Error, OSError) as error:
            raise RunFileError(f"the run file cannot be written: {error}") from error
        self._written_configs = configs
        self._facts, self._arrays = {}, {}
        self._rows, self._probes, self._flags = [], [], []
        self._diagnostics = []
        self._rewound_to = None

    def _write_rows(
        self, database: sqlite3.Connection, arrays: Mapping[str, Mapping[str, Array]]
    ) -> None:
        if self._rewound_to is not None:
            for table in ("metrics", "probes", "snapshots", "diagnostics"):
                database.execute(
                    f"DELETE FROM {table} WHERE step > ?",
                    (self._rewound_to,),
                )
        database.executemany(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)",
            [(key, json.dumps(value)) for key, value in self._facts.items()],
        )
        database.executemany(
            "INSERT OR REPLACE INTO arrays VALUES (?, ?)",
            [(name, packed(entries)) for name, entries in arrays.items()],
        )
        database.executemany(_INSERT_METRICS, self._rows)
        database.executemany(
            "INSERT OR REPLACE INTO probes VALUES (?, ?)",
            [(probe.evaluation.step, _probe_data(probe)) for probe in self._probes],
        )
        database.executemany(
            "INSERT OR REPLACE INTO snapshots VALUES (?, ?)",
            [
                (p.snapshot.step, packed(_state_arrays(p.snapshot)))
                for p in self._probes
            ],
        )
        database.executemany(
            "INSERT OR REPLACE INTO diagnostics VALUES (?, ?, ?)", self._diagnostics
        )
        database.executemany("INSERT INTO flags VALUES (?, ?, ?)", self._flags)


@contextmanager
def _transaction(
    connection: sqlite3.Connection,
) -> Generator[sqlite3.Connection, None, None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _state_arrays(state: Checkpoint) -> dict[str, Array]:
    slots = {f"slot{i}": slot for i, slot in enumerate(state.slots)}
    return {"phi": state.phi, **slots}


def _task_arrays(tasks: ProbeTasks) -> dict[str, Array]:
    names = {entry.name for entry in fields(tasks)}
    plain = names - {"parameter_names", "num_inner_steps"}
    return {name: getattr(tasks, name) for name in sorted(plain)}


def _probe_data(probe: ProbeTaken) -> bytes:
    return packed(
        {
            "support_loss": probe.evaluation.support_loss,
            "query_loss": probe.evaluation.query_loss,
        }
    )


def _this_process() -> dict[str, object]:
    return {"pid": os.getpid(), "host": platform.node()}


def _alive(writer: Mapping[str, object]) -> bool:
    """Return whether the process that last wrote the file still runs, as far as known."""
    pid = writer.get("pid")
    if writer.get("host") != platform.node() or not isinstance(pid, int):
        return False
    if os.name == "nt":
        # os.kill would end the process there; the database's own lock must do.
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
