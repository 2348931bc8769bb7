"""Changes of names and labels, written into the run files themselves.

A run that somebody is writing cannot be changed: what was wanted waits in a small file of
the library, and is written once the run has ended. One lock of the folder keeps several
windows and commands from losing each other's words.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from metalab.experiment.plain_data import PlainDataError, from_json, read_text
from metalab.runs.library.labels import (
    FACT,
    NAME_FACT,
    LabelChange,
    LabelError,
    Labels,
    as_fact,
)
from metalab.runs.library.reading import in_use, name_and_labels
from metalab.runs.record.assembly import open_database
from metalab.runs.record.file_format import RunFileError, schema_of
from metalab.runs.record.file_guard import DamagedError, GuardedReader
from metalab.runs.record.log import Additions
from metalab.runs.record.stored_facts import MOST_FACT_BYTES
from metalab.runs.record.writer import amend
from metalab.runs.system.file_lock import NO_LOCKS, locked

WAITING_NAME = ".metalab-waiting.json"
LOCK_NAME = ".metalab-lock"
_MOST_WAITING_BYTES = 5_000_000
_CHANGES = TypeAdapter(dict[str, LabelChange])


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What became of a change of one run.

    Attributes:
        path: Its file.
        undo: The change that takes it back.
        waits: Whether it is written once the run has ended.
        problem: Why it was not made, in a sentence; "" if it was.
    """

    path: Path
    undo: LabelChange = field(default_factory=LabelChange)
    waits: bool = False
    problem: str = ""


def mark(paths: Sequence[Path], change: LabelChange) -> list[Marked]:
    """Change names or labels of runs; each file is changed whole or not at all.

    Args:
        paths: The run files.
        change: The change; it is checked first.

    Raises:
        LabelError: The change is not allowed; nothing was changed.

    Thread: any but the window's: a file takes as long as copying it does.
    """
    change = change.checked()
    done: dict[Path, Marked] = {}
    for folder in dict.fromkeys(path.absolute().parent for path in paths):
        mine = [path for path in paths if path.absolute().parent == folder]
        try:
            with _locked(folder):
                for path in mine:
                    done[path] = _mark(path, change)
        except OSError as error:
            text = f"{folder} cannot be written: {error.strerror}"
            done |= {p: Marked(path=p, problem=text) for p in mine if p not in done}
    return [done[path] for path in paths]


def waiting(folder: Path) -> Mapping[str, LabelChange]:
    """Return the changes that wait in a folder, by name of the run file.

    A file of something else is set aside: it may hold what a person wants back.
    """
    path = folder / WAITING_NAME
    try:
        content = from_json(read_text(path, most_bytes=_MOST_WAITING_BYTES))
        found = _CHANGES.validate_python(content)
        return {name: change.checked() for name, change in found.items()}
    except OSError:
        return {}
    except (PlainDataError, ValidationError, LabelError):
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".backup.json"))
        return {}


def settle(folder: Path) -> list[Path]:
    """Write the waiting changes of runs that have ended; return these runs' files."""
    found = waiting(folder)
    free = [name for name in found if _can_settle(folder / name)]
    if not free:
        return []
    settled: list[Path] = []
    with contextlib.suppress(OSError), _locked(folder):
        # Another process may have been first, or somebody have changed more.
        found = waiting(folder)
        for name in free:
            path = folder / name
            if name not in found:
                continue
            if path.exists():
                try:
                    _write(path, found[name])
                except (RunFileError, LabelError):
                    continue
            _keep_waiting(
                folder, {n: c for n, c in waiting(folder).items() if n != name}
            )
            settled.append(path)
    return settled


def _can_settle(path: Path) -> bool:
    """Return whether a change need not wait any more; of a lost file it never will."""
    return not path.exists() or not in_use(path)


def _mark(path: Path, change: LabelChange) -> Marked:
    """Change one run; the folder's lock is held."""
    folder = path.absolute().parent
    queued = waiting(folder)
    before = queued.get(path.name)
    whole = change if before is None else before.then(change)
    try:
        name, labels = _told(path)
        if before is not None:
            name, labels = before.name or name, before.on(labels)
        change.on(labels)
        undo = change.undoing(name, labels)
        if in_use(path):
            _keep_waiting(folder, {**queued, path.name: whole})
            return Marked(path=path, undo=undo, waits=True)
        _write(path, whole)
        if before is not None:
            _keep_waiting(folder, {n: c for n, c in queued.items() if n != path.name})
    except (RunFileError, LabelError) as error:
        return Marked(path=path, problem=str(error))
    except OSError as error:
        text = f"{path} cannot be changed: {error.strerror or error}"
        return Marked(path=path, problem=text)
    return Marked(path=path, undo=undo)


def _told(path: Path) -> tuple[str, Labels]:
    """Return name and labels as they are in the file.

    Raises:
        RunFileError: The file cannot be used.
    """
    name, labels = name_and_labels(_texts(path))
    return name or path.stem, labels


def _texts(path: Path) -> dict[str, Any]:
    try:
        with closing(open_database(path)) as connection:
            database = GuardedReader(connection, schema_of(connection))
            database.limit_values(MOST_FACT_BYTES)
            query = "SELECT key, value FROM facts WHERE key IN (?, ?)"
            texts = dict(database.rows(query, FACT, NAME_FACT))
        name_and_labels(texts)
    except (sqlite3.Error, DamagedError) as error:
        raise RunFileError(f"{path} is damaged: {error}") from error
    return texts


def _write(path: Path, change: LabelChange) -> None:
    """Write a change into a file that nobody is writing.

    Raises:
        RunFileError: The file cannot be used or written.
        LabelError: The run would have too many tags.
    """
    texts = _texts(path)
    _, labels = name_and_labels(texts)
    changed = change.on(labels)
    facts: dict[str, str] = {}
    if changed != labels:
        before = json.loads(texts.get(FACT, "{}"))
        facts[FACT] = json.dumps(as_fact(changed, before))
    if change.name is not None:
        facts[NAME_FACT] = json.dumps(change.name)
    if any(texts.get(key) != text for key, text in facts.items()):
        amend(path, Additions(facts=facts), as_it_is=True)


@contextmanager
def _locked(folder: Path) -> Generator[None, None, None]:
    """Hold the lock of a library; where there are no locks, go on without.

    Raises:
        OSError: The folder takes no file.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / LOCK_NAME))
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield


def _keep_waiting(folder: Path, changes: Mapping[str, LabelChange]) -> None:
    """Write the changes that wait; the file is either the old or the new one.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / WAITING_NAME
    if not changes:
        path.unlink(missing_ok=True)
        return
    draft = path.with_name(f"{WAITING_NAME}.{os.getpid()}")
    content = {name: asdict(change) for name, change in changes.items()}
    try:
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
