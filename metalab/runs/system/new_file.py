"""Files that appear under their name whole, or not at all."""

import errno
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from io import FileIO
from pathlib import Path

WINDOWS = os.name == "nt"

_PART_SUFFIX = ".metalab-part"
_ABANDONED_SECONDS = 3600.0
"""Age of a part that nobody is writing any more: its process was killed."""

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_COPIED_AT_ONCE = 2**20
_SIDE_FILES = ("-wal", "-journal", "-shm")
"""What SQLite keeps beside a database that it writes."""


def written_database(
    folder: Path, make: Callable[[sqlite3.Connection], None], *, version: int
) -> Path:
    """Write a database to a file of its own, down to the disk.

    Args:
        folder: Where.
        make: Fills the empty database.
        version: Its `user_version`.

    Returns:
        The file, for `add_under` or `replace_under`.

    Raises:
        sqlite3.Error: It cannot be made.
        OSError: It cannot be written.
        Exception: Whatever `make` raises.
    """

    def write(part: Path) -> None:
        with closing(sqlite3.connect(part, isolation_level=None)) as database:
            # Nobody but this connection knows of the file: no other can be in its way,
            # and nothing is lost with it.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            make(database)
            # A copy of a database whose process was killed says that it has a log.
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute(f"PRAGMA user_version = {version}")

    return _written(folder, write)


def written_copy(folder: Path, file: FileIO, size: int) -> Path:
    """Write the beginning of an open file to a file of its own, down to the disk.

    Raises:
        OSError: It cannot be read or written.
    """

    def write(part: Path) -> None:
        with part.open("wb") as copy:
            for start in range(0, size, _COPIED_AT_ONCE):
                file.seek(start)
                copy.write(file.read(min(_COPIED_AT_ONCE, size - start)))

    return _written(folder, write)


def _written(folder: Path, write: Callable[[Path], None]) -> Path:
    _remove_abandoned(folder)
    part = folder / f".{secrets.token_hex(8)}{_PART_SUFFIX}"
    # SQLite would only say that it cannot open the file, and not why.
    part.touch(exist_ok=False)
    try:
        write(part)
        with part.open("r+b") as file:
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _remove_abandoned(folder: Path) -> None:
    oldest = time.time() - _ABANDONED_SECONDS
    for part in folder.glob(f".*{_PART_SUFFIX}"):
        try:
            if part.stat().st_mtime < oldest:
                part.unlink()
        except FileNotFoundError:
            # Another process came first.
            continue


def add_under(part: Path, path: Path) -> None:
    """Give a written file its name, which nobody may have.

    Raises:
        FileExistsError: Somebody has.
        OSError: The folder takes no file.
    """
    try:
        _add_under(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _add_under(part: Path, path: Path) -> None:
    if WINDOWS:
        # There, it is an error if the name is taken.
        part.rename(path)
        return
    try:
        path.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        part.rename(path)
    else:
        part.unlink()


def replace_under(part: Path, path: Path) -> None:
    """Give a written file its name, and the rights of the file that has it now.

    Raises:
        OSError: The folder takes no file.
    """
    try:
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def clear_side_files(path: Path) -> None:
    """Remove what an earlier writer left beside a database that does without it.

    Raises:
        OSError: It cannot be removed.
    """
    for suffix in _SIDE_FILES:
        try:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            # Where its name would be too long, there is none.
            if error.errno != errno.ENAMETOOLONG:
                raise
