"""Runs in a folder, told from the heads of their files.

A run of a million steps is listed as fast as one of ten: only its facts are read. Nothing
is written, and a file that cannot be read is a line that says so.
"""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from metalab.experiment.plain_data import PlainDataError, from_json
from metalab.runs.record.assembly import Layout, read_in_place
from metalab.runs.record.file_format import (
    LOG_VERSION,
    RunFileError,
    check_header,
    schema_of,
)
from metalab.runs.record.file_guard import DamagedError, GuardedReader
from metalab.runs.record.log import LogError, newest_facts
from metalab.runs.record.status import RunStatus
from metalab.runs.record.stored_facts import MOST_FACT_BYTES, MOST_STEPS, PLAIN_TEXT
from metalab.runs.record.writer import check_unlocked
from metalab.runs.system.home import RUN_SUFFIX

_MOST_SCANNED = 100_000
"""Files of a folder that are looked at at all."""

_WANTED = ("name", "status", "checkpoint_step", "config", "edits")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run as a list shows it.

    Attributes:
        path: Its file.
        name: What the experiment is called; the file's name where it cannot be read.
        status: How it ended; None for a file that cannot be read.
        cut_short: Whether nobody wrote that it has ended.
        in_use: Whether somebody is writing it just now.
        seed: Its seed; tells replicates apart.
        step: Outer steps that are safe in the file.
        num_steps: Outer steps that were planned.
        used: When it was last written or opened, seconds since 1970.
        problem: Why it cannot be read, in a sentence; "" if it can.
    """

    path: Path
    name: str
    status: RunStatus | None = None
    cut_short: bool = False
    in_use: bool = False
    seed: int | None = None
    step: int = 0
    num_steps: int = 0
    used: float = 0.0
    problem: str = ""

    @property
    def recoverable(self) -> bool:
        """Whether a crash has left it: not ended, written by nobody, and begun."""
        return self.cut_short and not self.in_use and self.step > 0

    @property
    def can_go_on(self) -> bool:
        """Whether it has steps left to make, and nobody makes them."""
        return not self.in_use and 0 < self.step < self.num_steps


class _Outer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    num_steps: Annotated[StrictInt, Field(ge=1, le=MOST_STEPS)]


class _Run(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: Annotated[StrictInt, Field(ge=0, le=2**63 - 1)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    outer: _Outer
    run: _Run


class _Edit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    value: Any


class _Facts(BaseModel):
    """The facts that a list needs of a run file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: RunStatus
    config: _Config
    name: Annotated[str, Field(max_length=1000, pattern=PLAIN_TEXT)] = ""
    checkpoint_step: Annotated[StrictInt, Field(ge=0, le=MOST_STEPS)] | None = None
    edits: Annotated[tuple[_Edit, ...], Field(max_length=2000)] = ()

    @property
    def num_steps(self) -> int:
        """Outer steps planned, as they were last changed."""
        planned = [e.value for e in self.edits if e.path == "outer.num_steps"]
        last = planned[-1] if planned else None
        return last if isinstance(last, int) else self.config.outer.num_steps


def recent_runs(
    folders: Iterable[Path],
    opened: Mapping[Path, float],
    *,
    most: int,
) -> Sequence[RunSummary]:
    """Return the runs that were last written or opened, the newest first.

    Args:
        folders: Where runs are kept; one that cannot be read has none.
        opened: When files were opened, those elsewhere included; one that is gone is
            told as missing.
        most: How many.

    Thread: any; it reads files.
    """
    used: dict[Path, float] = dict(opened)
    for folder in folders:
        for path, when in _files_of(folder):
            used[path] = max(when, used.get(path, 0.0))
    newest = sorted(used, key=used.__getitem__, reverse=True)[:most]
    return [summary_of(path, used=used[path]) for path in newest]


def summary_of(path: Path, *, used: float = 0.0) -> RunSummary:
    """Return what a file tells of its run; whatever is wrong with it is a word.

    Args:
        path: The file.
        used: When it was last written or opened, seconds since 1970.
    """
    try:
        facts = _facts_of(path)
    except (RunFileError, DamagedError, LogError, sqlite3.Error, OSError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        return RunSummary(path=path, name=path.stem, used=used, problem=problem)
    except MemoryError:
        problem = f"{path} does not fit into memory"
        return RunSummary(path=path, name=path.stem, used=used, problem=problem)
    ended = facts.status.ended
    return RunSummary(
        path=path,
        name=facts.name or path.stem,
        status=facts.status if ended else RunStatus.STOPPED,
        cut_short=not ended,
        in_use=not ended and _is_in_use(path),
        seed=facts.config.run.seed,
        step=facts.checkpoint_step or 0,
        num_steps=facts.num_steps,
        used=used,
    )


def _files_of(folder: Path) -> list[tuple[Path, float]]:
    """Return the run files of a folder, and when each was last written."""
    found: list[tuple[Path, float]] = []
    # A folder that is not there yet, or not any more, has none.
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number == _MOST_SCANNED:
                break
            if not entry.name.endswith(RUN_SUFFIX) or entry.name.startswith("."):
                continue
            # One that was removed meanwhile is none.
            with contextlib.suppress(OSError):
                status = entry.stat()
                if stat.S_ISREG(status.st_mode):
                    found.append((Path(entry.path), status.st_mtime))
    return found


def _facts_of(path: Path) -> _Facts:
    """Read the facts that a list needs.

    Raises:
        RunFileError: It is no run file, or from a newer metalab.
        DamagedError: Its tables or facts are not those of a run file.
        LogError: Its log is damaged.
        sqlite3.Error: It is damaged.
        OSError: It cannot be read.
    """
    check_header(path)
    with path.open("rb") as file:
        layout = Layout.of(file)
        if not 1 <= layout.version <= LOG_VERSION:
            raise RunFileError(f"{path} is from a newer metalab")
        texts = _texts_in(path)
        if layout.version == LOG_VERSION:
            end = file.seek(0, os.SEEK_END)
            texts |= newest_facts(file, layout.log_start, end)
    try:
        content = {key: from_json(texts[key]) for key in _WANTED if key in texts}
        return _Facts.model_validate(content)
    except PlainDataError as error:
        raise DamagedError(f"a fact {error}") from error
    except ValidationError as error:
        entry = error.errors()[0]
        key = ".".join(str(part)[:60] for part in entry["loc"])
        raise DamagedError(f"fact {key!r}: {str(entry['msg']).lower()}") from error


def _texts_in(path: Path) -> dict[str, str]:
    """Return the facts of the database, without those of a log behind it.

    Raises:
        DamagedError: Its tables are not those of a run file.
        sqlite3.Error: It is damaged.
    """
    with closing(read_in_place(path)) as connection:
        database = GuardedReader(connection, schema_of(connection))
        database.limit_values(MOST_FACT_BYTES)
        places = ", ".join("?" * len(_WANTED))
        query = f"SELECT key, value FROM facts WHERE key IN ({places})"
        rows = list(database.rows(query, *_WANTED))
    if not all(isinstance(text, str) for _, text in rows):
        raise DamagedError("table facts holds what is no text")
    return dict(rows)


def _is_in_use(path: Path) -> bool:
    try:
        check_unlocked(path)
    except RunFileError:
        return True
    return False
