"""Reads what the library lists of a run from its file.

Less than a whole run: neither states nor every step's row. A thousand files take seconds.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metalab.core.errors import UserError
from metalab.experiment.config import ExperimentConfig, recipe_of
from metalab.experiment.naming import reference_of
from metalab.experiment.plain_data import PlainDataError, from_json
from metalab.runs.library.entry import MOST_POINTS, SEED, Plain, RunEntry, Score
from metalab.runs.library.labels import FACT, NAME_FACT, Labels, StoredLabels
from metalab.runs.record.assembly import open_database
from metalab.runs.record.file_format import RunFileError, schema_of, unpacked
from metalab.runs.record.file_guard import DamagedError, GuardedReader
from metalab.runs.record.reader import keep_tables
from metalab.runs.record.status import RunStatus
from metalab.runs.record.stored_facts import MOST_FACT_BYTES, MOST_STEPS, StoredFacts
from metalab.runs.record.writer import check_unlocked
from metalab.tasks.table_store import look_in

_KNOWN_EXPERIMENTS = 512
"""Experiments that are looked at once for all of their replicates."""

_MOST_EVALUATION_BYTES = 64 * 2**20
_LONGEST_VALUE = 200
_NOT_SETTINGS = ("name", "preset", "version", SEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Experiment:
    """What replicates have in common.

    Attributes:
        config: Settings by dotted path, without the seed.
        method: Name of the recipe, or of the preset.
        preset: Name of the preset that it comes from.
        group: Tells experiments apart.
        num_inner_steps: K.
        num_steps: Outer steps planned.
    """

    config: Mapping[str, Plain]
    method: str
    preset: str
    group: str
    num_inner_steps: int
    num_steps: int


def read_entry(path: Path) -> RunEntry:
    """Return what a file tells of its run; whatever is wrong with it is a word.

    Thread: any.
    """
    try:
        status = path.stat()
    except OSError as error:
        return RunEntry(path=path, name=path.stem, problem=error.strerror or str(error))
    try:
        return _read(path, written=status.st_mtime, size=status.st_size)
    except (RunFileError, DamagedError, sqlite3.Error, OSError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    except UserError as error:
        problem = f"{path} holds a configuration of another kind: {error}"
    except MemoryError:
        problem = f"{path} does not fit into memory"
    line = " ".join(problem.split())
    return RunEntry(
        path=path,
        name=path.stem,
        problem=line,
        written=status.st_mtime,
        size=status.st_size,
    )


def in_use(path: Path) -> bool:
    """Return whether somebody is writing a run file just now."""
    try:
        check_unlocked(path)
    except RunFileError:
        return True
    return False


def _read(path: Path, *, written: float, size: int) -> RunEntry:
    # Of a run that carries no more than its table's hash.
    look_in(path.parent)
    with closing(open_database(path)) as connection:
        # One transaction: a run that is being written is seen at one moment.
        connection.execute("BEGIN")
        database = GuardedReader(connection, schema_of(connection))
        keep_tables(database)
        database.limit_values(MOST_FACT_BYTES)
        rows = list(database.rows("SELECT key, value FROM facts"))
        facts = StoredFacts.from_rows(rows)
        name, labels = name_and_labels(dict(rows))
        experiment = _experiment_of(facts)
        database.limit_values(_MOST_EVALUATION_BYTES)
        evaluations = _evaluations(database, experiment)
        seconds = _seconds(database)
        losses, held_out = _sparkline(database, evaluations)
    ended = facts.status.ended
    return RunEntry(
        path=path,
        name=name or path.stem,
        status=facts.ending,
        cut_short=not ended,
        in_use=not ended and in_use(path),
        seed=_seed(facts.config),
        step=facts.step,
        num_steps=experiment.num_steps,
        method=experiment.method,
        preset=experiment.preset,
        config=experiment.config,
        group=experiment.group,
        losses=losses,
        held_out=held_out,
        best=_best(evaluations),
        last=evaluations[-1] if evaluations else None,
        seconds=seconds,
        created=facts.created,
        labels=labels,
        written=written,
        size=size,
    )


def name_and_labels(texts: Mapping[str, Any]) -> tuple[str, Labels]:
    """Return a run's name and labels, from the facts of its file.

    Args:
        texts: JSON text by key.

    Raises:
        DamagedError: A fact is none that metalab writes.
    """
    try:
        name = from_json(texts.get(NAME_FACT, '""'))
        stored = StoredLabels.model_validate(from_json(texts.get(FACT, "{}")))
    except (PlainDataError, ValidationError) as error:
        line = str(error).splitlines()[0]
        raise DamagedError(f"name or labels: {line}") from error
    if not isinstance(name, str):
        raise DamagedError(f"fact {NAME_FACT!r} is no text")
    return " ".join(name.split()), stored.labels()


def _seed(config: Mapping[str, Any]) -> int | None:
    run = config.get("run")
    seed = run.get("seed") if isinstance(run, Mapping) else None
    return seed if isinstance(seed, int) else None


def _experiment_of(facts: StoredFacts) -> _Experiment:
    """Return the experiment of a run at its last step.

    Replicates have it looked at once: their facts are the same but for the seed.
    """
    config = dict(facts.config)
    if isinstance(config.get("run"), dict):
        config["run"] = {**config["run"], "seed": 0}
    content = {
        "config": config,
        "edits": [edit.model_dump() for edit in facts.edits],
    }
    # Only edits tell one step of an experiment from another.
    return _known_experiment(json.dumps(content), facts.step if facts.edits else 0)


@lru_cache(maxsize=_KNOWN_EXPERIMENTS)
def _known_experiment(content: str, step: int) -> _Experiment:
    told = json.loads(content)
    history = StoredFacts(
        config=told["config"],
        created="",
        environment={},
        status=RunStatus.STOPPED,
        edits=told["edits"],
        checkpoint_step=step,
    ).configs()
    config = history.at(step)
    recipe = recipe_of(config)
    preset = reference_of(config).name if recipe is not None else config.preset
    edits = [(edit.step, edit.path, edit.value) for edit in history.edits_before(step)]
    group = config.digest()
    if edits:
        text = json.dumps(edits).encode()
        group += f"-{hashlib.blake2b(text, digest_size=4).hexdigest()}"
    return _Experiment(
        config=flattened(config),
        method=preset if recipe is None else recipe.name,
        preset=preset,
        group=group,
        num_inner_steps=config.num_inner_steps,
        num_steps=history.after(MOST_STEPS).outer.num_steps,
    )


def flattened(config: ExperimentConfig) -> dict[str, Plain]:
    """Return the settings of an experiment by dotted path, without names and seed."""
    found: dict[str, Plain] = {}

    def walk(section: Mapping[str, Any], prefix: str) -> None:
        for key, value in section.items():
            path = f"{prefix}{key}"
            if isinstance(value, Mapping):
                walk(value, f"{path}.")
            elif path not in _NOT_SETTINGS:
                found[path] = _plain(value)

    walk(config.to_mapping(), "")
    return found


def _plain(value: object) -> Plain:
    """Return a setting as one value; numbers in a row as `--set` takes them."""
    if isinstance(value, list | tuple):
        value = ",".join(str(part) for part in value)
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_LONGEST_VALUE]


def _evaluations(database: GuardedReader, experiment: _Experiment) -> Sequence[Score]:
    """Return the held-out query loss after K steps, in the order of outer steps."""
    found: list[Score] = []
    last = -1
    for step, data in database.rows("SELECT step, data FROM probes ORDER BY step"):
        if not isinstance(step, int) or not last < step <= MOST_STEPS:
            raise DamagedError(f"table probes, after step {last}: out of order")
        last = step
        query = unpacked(data).get("query_loss")
        if query is None or query.ndim != 2 or not query.size:
            raise DamagedError(f"evaluation of step {step:,}: it holds no query losses")
        if query.shape[1] <= experiment.num_inner_steps:
            raise DamagedError(f"evaluation of step {step:,}: it ends before K")
        losses = query[:, experiment.num_inner_steps]
        found.append(Score(step, float(losses.mean(dtype="float64"))))
    return found


def _best(evaluations: Sequence[Score]) -> Score | None:
    known = [score for score in evaluations if not math.isnan(score.loss)]
    return min(known, key=lambda score: score.loss, default=None)


def _seconds(database: GuardedReader) -> float | None:
    """Return the training time of a run, s; None before its first step."""
    newest = "SELECT seconds FROM metrics ORDER BY step DESC LIMIT 1"
    for (seconds,) in database.rows(newest):
        if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            raise DamagedError("table metrics: seconds is no duration")
        return float(seconds)
    return None


def _sparkline(
    database: GuardedReader, evaluations: Sequence[Score]
) -> tuple[tuple[float, ...], bool]:
    """Return the losses of a sparkline, and whether they are of held-out tasks."""
    if len(evaluations) > 1:
        return tuple(score.loss for score in _spread(evaluations)), True
    ((first, last),) = database.rows("SELECT min(step), max(step) FROM metrics")
    if not isinstance(first, int) or not isinstance(last, int):
        return tuple(score.loss for score in evaluations), True
    steps = sorted(
        {
            round(first + i * (last - first) / (MOST_POINTS - 1))
            for i in range(MOST_POINTS)
        }
    )
    places = ", ".join("?" * len(steps))
    losses = database.rows(
        f"SELECT outer_loss FROM metrics WHERE step IN ({places}) ORDER BY step", *steps
    )
    known = [loss for (loss,) in losses if isinstance(loss, int | float)]
    return tuple(float(loss) for loss in known), False


def _spread(evaluations: Sequence[Score]) -> Sequence[Score]:
    """Return evenly spread evaluations, the first and the last among them."""
    most, count = MOST_POINTS, len(evaluations)
    if count <= most:
        return evaluations
    return [evaluations[round(i * (count - 1) / (most - 1))] for i in range(most)]
