"""Copies of runs, made while they go on, and what such a copy lacks."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from metalab.core.paths import behind_links, obstacle_to_write
from metalab.runs.record.assembly import open_database, write_newest
from metalab.runs.record.bookmarks import FACT, Bookmarks, as_fact
from metalab.runs.record.file_format import SCHEMA_VERSION, RunFileError, migrate
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import open_run
from metalab.runs.record.writer import check_unlocked, reason
from metalab.runs.system.new_file import (
    clear_side_files,
    replace_under,
    written_database,
)


def save_copy(
    path: Path, to: Path, *, bookmarks: Bookmarks | None = None
) -> RunHistory:
    """Write the run of a file to another, as one plain database; the run may go on.

    Args:
        path: The run file; nothing is written to it.
        to: The copy; what is there is replaced.
        bookmarks: Those that the copy shall have; None for those of the file.

    Returns:
        What the copy holds, read back from it.

    Raises:
        RunFileError: The file cannot be used, or the copy cannot be written.
    """
    obstacle = obstacle_to_write(to)
    if obstacle is not None:
        raise RunFileError(f"{to} cannot be written: {obstacle}")
    facts = {"writer": json.dumps(None)}
    if bookmarks is not None:
        facts[FACT] = json.dumps(as_fact(bookmarks))
    with closing(open_database(path)) as database:
        target = behind_links(to)

        def make(copy: sqlite3.Connection) -> None:
            database.backup(copy)
            migrate(copy)
            write_newest(copy, facts, {})

        try:
            if target.exists():
                if target.samefile(path):
                    raise RunFileError(f"{to} is the run itself; choose another name")
                check_unlocked(target)
            part = written_database(target.parent, make, version=SCHEMA_VERSION)
            clear_side_files(target)
            replace_under(part, target)
        except (sqlite3.Error, OSError) as error:
            raise RunFileError(f"{to} cannot be written: {reason(error)}") from error
    return open_run(to).history


def lacking(history: RunHistory) -> str:
    """Return what the file of a run lacks that nobody closed, in words; "" if nothing."""
    if not history.cut_short:
        return ""
    return (
        f"complete to outer step {history.step:,} of {history.num_steps:,}: the run still "
        f"goes on or was killed, or this is a copy that was made while it went on"
    )
