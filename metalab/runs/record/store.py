"""Writing a run to its file, from the run's thread, in batches."""

import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zlib import compress

import numpy as np

from metalab.engine.build import build_family
from metalab.engine.events import (
    Array,
    Checkpoint,
    DiagnosticsTaken,
    Diverged,
    EvaluationDone,
    Event,
    RunStarted,
    StepsDone,
)
from metalab.engine.trainer import Trainer
from metalab.experiment.edit import Edit
from metalab.experiment.naming import experiment_name
from metalab.runs.record.bookmarks import FACT, Bookmarks, as_fact
from metalab.runs.record.file_format import TABLE, RunFileError, packed
from metalab.runs.record.live import LiveRun
from metalab.runs.record.log import METRIC_COLUMNS, Additions
from metalab.runs.record.plugin_facts import plugin_facts
from metalab.runs.record.status import RunStatus
from metalab.runs.record.writer import RunWriter, amend
from metalab.runs.system.environment import environment

FLUSH_SECONDS = 1.0
"""Time between two writes; what a crash of the machine can cost is at most twice this."""


class RunStore:
    """The writer of one run file; a `Sink` of `run_loop`.

    A write that fails (full disk, folder gone) keeps its rows in memory, says so in
    `LiveRun.set_storage_problem`, and is tried again; only the last one raises.

    Thread: the run's thread.
    """

    def __init__(
        self,
        writer: RunWriter,
        live: LiveRun,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._live = live
        self._clock = clock
        self._written_at = clock()
        self._written_configs: object = live.configs
        before = live.snapshot()
        self._written_bookmarks = before.bookmarks if before.bookmarks_kept else None
        self._is_diverged = False
        self._forget()

    def _forget(self) -> None:
        """Begin to take in what the next write adds."""
        self._facts: dict[str, object] = {}
        self._arrays: dict[str, Mapping[str, Array]] = {}
        self._rows: list[Array] = []
        self._probes: list[EvaluationDone] = []
        self._diagnostics: list[tuple[int, str, float | None]] = []
        self._flags: list[tuple[int, str, str]] = []
        self._rewound_to: int | None = None

    @classmethod
    def create(cls, path: Path, live: LiveRun) -> "RunStore":
        """Create the run file of a new run.

        Raises:
            RunFileError: The file exists already or cannot be created.
        """
        config = live.config
        facts = live.configs.to_mapping() | {
            "name": experiment_name(config),
            "digest": config.digest(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": {**environment(), **plugin_facts(config)},
            "status": RunStatus.STARTING.value,
            "writer": _this_process(),
        }
        carried = build_family(config).carried()
        first = Additions(
            facts=_as_json(facts),
            arrays={f"{TABLE}{name}": compress(data) for name, data in carried.items()},
        )
        return cls(RunWriter.create(path, first), live)

    @classmethod
    def reopen(cls, path: Path, live: LiveRun) -> "RunStore":
        """Open the file of a run that goes on.

        Raises:
            RunFileError: The file cannot be used, or another process is writing it.
        """
        facts = live.configs.to_mapping() | {
            "status": RunStatus.STARTING.value,
            "writer": _this_process(),
        }
        first = Additions(facts=_as_json(facts))
        step = live.snapshot().step
        store = cls(RunWriter.reopen(path, first, step=step), live)
        # A run that diverged has not any more, once it has made a step.
        store._is_diverged = True
        return store

    def on_event(self, event: Event, seconds: float) -> None:
        """Take in what the trainer said."""
        if isinstance(event, RunStarted):
            self._facts |= {"device": event.device, "provider": event.provider}
            self._facts["provider_reason"] = self._live.snapshot().provider_reason
            origin = self._live.snapshot().origin
            if origin is not None:
                self._facts["origin"] = asdict(origin)
            self._facts["parameter_names"] = event.held_out_tasks.parameter_names
            self._facts["task_names"] = event.held_out_tasks.names
            self._facts["input_name"] = event.held_out_tasks.input_name
            self._facts["target_name"] = event.held_out_tasks.target_name
            self._arrays["held-out tasks"] = event.held_out_tasks.arrays()
        elif isinstance(event, StepsDone):
            self._take_steps(event, seconds)
        elif isinstance(event, EvaluationDone):
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
        rows = np.empty((len(event.metrics), len(METRIC_COLUMNS)))
        rows[:, 0] = np.arange(event.first_step, event.last_step + 1)
        rows[:, 1] = seconds
        rows[:, 2:] = event.metrics
        self._rows.append(rows)

    def _measured(self, step: int, values: Mapping[str, float]) -> None:
        self._diagnostics += [
            (step, name, None if math.isnan(value) else value)
            for name, value in values.items()
        ]

    def _rewind(self, step: int) -> None:
        """Forget what came after `step`: training went back to it."""
        if self._rows and self._rows[-1][-1, 0] > step:
            kept = (rows[rows[:, 0] <= step] for rows in self._rows)
            self._rows = [rows for rows in kept if len(rows)]
        self._probes = [p for p in self._probes if p.evaluation.step <= step]
        self._diagnostics = [row for row in self._diagnostics if row[0] <= step]
        earlier = self._rewound_to
        self._rewound_to = step if earlier is None else min(earlier, step)

    def flush(self, trainer: Trainer, *, force: bool = False) -> None:
        """Write what was taken in, if it is time to or with `force`.

        Raises:
            RunFileError: A forced write failed.
        """
        if not force:
            too_early = self._clock() - self._written_at < FLUSH_SECONDS
            if too_early or not self._has_news():
                return
        try:
            self._write(trainer.checkpoint(), urgent=force)
        except RunFileError as error:
            self._live.set_storage_problem(str(error))
            if force:
                raise
        else:
            self._live.set_storage_problem(None)
            self._live.set_stored(trainer.step)
        self._written_at = self._clock()

    def _has_news(self) -> bool:
        """Return whether there is anything to write; a run that waits has seldom."""
        taken_in = (
            self._facts,
            self._arrays,
            self._rows,
            self._probes,
            self._diagnostics,
            self._flags,
        )
        return (
            any(taken_in)
            or self._rewound_to is not None
            or self._live.configs is not self._written_configs
            or self._live.bookmarks is not self._written_bookmarks
        )

    def close(self, status: RunStatus) -> None:
        """Write the final status and close the file.

        Raises:
            RunFileError: The status could not be written, or the file was damaged.
        """
        self._facts |= {"status": status.value, "writer": None}
        try:
            self._write(None, urgent=True)
            self._writer.close()
        except RunFileError as error:
            self._live.set_storage_problem(str(error))
            step = self._live.snapshot().stored_step
            raise RunFileError(
                f"{error}; it holds the run up to outer step {step:,}"
            ) from error
        finally:
            self._writer.abandon()

    def _write(self, checkpoint: Checkpoint | None, *, urgent: bool) -> None:
        if checkpoint is not None:
            # With its step, whichever attempt it is that writes them.
            self._arrays["checkpoint"] = _state_arrays(checkpoint)
            self._facts["checkpoint_step"] = checkpoint.step
            self._facts["slots_from"] = checkpoint.slots_from
        configs = self._live.configs
        if configs is not self._written_configs:
            self._facts |= configs.to_mapping()
        marks = self._live.bookmarks
        if marks is not None and marks is not self._written_bookmarks:
            self._facts[FACT] = as_fact(marks)
        rows = self._rows or [np.empty((0, len(METRIC_COLUMNS)))]
        additions = Additions(
            rewound_to=self._rewound_to,
            facts=_as_json(self._facts),
            arrays={name: packed(entries) for name, entries in self._arrays.items()},
            metrics=np.concatenate(rows),
            probes={p.evaluation.step: _evaluation_data(p) for p in self._probes},
            snapshots={
                p.snapshot.step: packed(_state_arrays(p.snapshot)) for p in self._probes
            },
            diagnostics=self._diagnostics,
            flags=self._flags,
        )
        self._writer.append(additions, urgent=urgent)
        self._written_configs = configs
        self._written_bookmarks = marks
        self._live.set_stored_bookmarks(marks)
        self._forget()


def write_bookmarks(path: Path, marks: Bookmarks) -> None:
    """Put bookmarks into the file of a run that nobody is writing.

    Takes as long as copying the file does: not for the window's thread.

    Raises:
        RunFileError: The file cannot be used or written, or another process is writing
            it. It is then as it was.
    """
    amend(path, Additions(facts=_as_json({FACT: as_fact(marks)})))


def _as_json(facts: Mapping[str, object]) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in facts.items()}


def _state_arrays(state: Checkpoint) -> dict[str, Array]:
    slots = {f"slot{i}": slot for i, slot in enumerate(state.slots)}
    return {"phi": state.phi, **slots}


def _evaluation_data(done: EvaluationDone) -> bytes:
    return packed(
        {
            "support_loss": done.evaluation.support_loss,
            "query_loss": done.evaluation.query_loss,
        }
    )


def _this_process() -> dict[str, object]:
    return {"pid": os.getpid(), "host": platform.node()}
