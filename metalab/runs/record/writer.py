"""A run file that is open for writing: made, appended to, closed.

At every moment the file under its name is whole. It is made complete under another name
first; from then on bytes are only added (`runs.record.log`); and when the run ends, a
database that holds all of it takes the name over in one move. Who may write is settled
by a lock of the operating system, which ends with the process that holds it.
"""

import json
import os
import sqlite3
from contextlib import closing
from io import FileIO
from pathlib import Path

from metalab.core.paths import behind_links, is_there, obstacle_to_create
from metalab.runs.record.assembly import Layout, fill, read_in_place, write_newest
from metalab.runs.record.file_format import (
    LOG_VERSION,
    SCHEMA_VERSION,
    RunBusyError,
    RunFileError,
    check_header,
    check_version,
    make_tables,
    migrate,
)
from metalab.runs.record.file_guard import DamagedError
from metalab.runs.record.log import Additions, LogError, encoded
from metalab.runs.system.file_lock import NO_LOCKS, try_lock
from metalab.runs.system.new_file import (
    WINDOWS,
    add_under,
    clear_side_files,
    replace_under,
    written_copy,
    written_database,
)

_MOST_SUPERSEDED = 32 * 2**20
"""Bytes of superseded arrays in a log before a new one is begun without them."""

_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
"""What SQLite says of a disk that is full and of a folder that takes no file."""

_FAULTS = (sqlite3.Error, LogError, DamagedError, OSError)
_sync = getattr(os, "fdatasync", os.fsync)


class RunWriter:
    """The one writer of a run file.

    Thread: one at a time.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        """Take over a file that is whole, has no log yet, and whose lock is held."""
        self._path = path
        self._gone = False
        self._begin_log(file)

    def _begin_log(self, file: FileIO) -> None:
        self._file = file
        self._end = file.seek(0, os.SEEK_END)
        self._number = 0
        self._array_sizes: dict[str, int] = {}
        self._superseded = 0
        self._compact_at = max(_MOST_SUPERSEDED, self._end)

    @classmethod
    def create(cls, path: Path, first: Additions) -> "RunWriter":
        """Create the file of a new run.

        Args:
            path: The file.
            first: Facts and arrays that it holds from the start.

        Raises:
            RunBusyError: The file exists already.
            RunFileError: It cannot be created.
        """

        def make(database: sqlite3.Connection) -> None:
            make_tables(database)
            write_newest(database, first.facts, first.arrays)

        check_free(path)
        try:
            part = written_database(path.parent, make, version=LOG_VERSION)
            return cls(path, _added(part, path))
        except FileExistsError as error:
            text = f"{path} cannot be created: it was made by another process just now"
            raise RunBusyError(text) from error
        except (sqlite3.Error, OSError) as error:
            raise RunFileError(f"{path} cannot be created: {reason(error)}") from error

    @classmethod
    def reopen(
        cls, path: Path, first: Additions, *, step: int | None = None
    ) -> "RunWriter":
        """Go on with the file of a run: killed, stopped, finished or of an old version.

        Args:
            path: The file.
            first: Facts and arrays that take the place of those in the file.
            step: Outer step of the checkpoint that was read from it; None for any.

        Raises:
            RunBusyError: Another process is writing it, or has taken it further since
                it was read.
            RunFileError: The file cannot be used or written.
        """
        check_header(path)
        try:
            # What a symbolic link points to is replaced, not the link.
            path = behind_links(path)
            file = _open_locked(path)
            try:
                file = _renewed(path, file, first, step=step)
            except BaseException:
                file.close()
                raise
        except _FAULTS as error:
            raise _cannot_write(path, reason(error)) from error
        return cls(path, file)

    def append(self, additions: Additions, *, urgent: bool = False) -> None:
        """Add to the log.

        A file that was deleted or moved away is told once, then written again.

        Args:
            additions: What to add: all of it or, after an error, nothing.
            urgent: Whether there will be no other attempt.

        Raises:
            RunFileError: It cannot be written.
        """
        record = encoded(additions, self._number + 1)
        try:
            self._check_place(urgent=urgent)
            _write_at(self._file, self._end, record)
        except OSError as error:
            raise _cannot_write(self._path, reason(error)) from error
        self._end += len(record)
        self._number += 1
        for name, data in additions.arrays.items():
            self._superseded += self._array_sizes.get(name, 0)
            self._array_sizes[name] = len(data)
        if self._superseded > self._compact_at:
            self._compact()

    def _check_place(self, *, urgent: bool) -> None:
        """Make sure that the file is to be found under its name.

        Raises:
            RunFileError: It is not, and is not to be put there now.
            OSError: It cannot be.
        """
        try:
            there = self._path.stat()
        except FileNotFoundError:
            if not self._path.parent.is_dir():
                folder = self._path.parent
                text = f"there is no folder {folder} any more"
                raise _cannot_write(self._path, text) from None
            if not (self._gone or urgent):
                self._gone = True
                text = "it was deleted or moved away"
                raise _cannot_write(self._path, text) from None
            part = written_copy(self._path.parent, self._file, self._end)
            old, self._file = self._file, _added(part, self._path)
            old.close()
        else:
            if not os.path.samestat(there, os.fstat(self._file.fileno())):
                raise _cannot_write(self._path, "another file has taken its place")
        self._gone = False

    def _compact(self) -> None:
        """Begin a new log, behind a database that holds all of this one."""
        try:
            self._begin_log(_renewed(self._path, self._file, Additions()))
        except _FAULTS:
            # The file is whole as it is, only larger than it need be.
            self._compact_at *= 2
            if self._file.closed:
                self._file = _open_locked(self._path)

    def close(self) -> None:
        """Put one plain database in the place of database and log, and let go of it.

        Where there is no room for both, or the folder takes no new file, the log stays:
        the file is whole with it.

        Raises:
            RunFileError: The file has been damaged.
        """
        try:
            self._check_place(urgent=True)
            # Whatever has the name of one is none of this file's: a log needs none.
            clear_side_files(self._path)
            part = written_database(
                self._path.parent,
                lambda database: fill(database, self._path),
                version=SCHEMA_VERSION,
            )
            _replaced(self._file, part, self._path).close()
        except _FAULTS as error:
            if not _lacks_room(error):
                raise _cannot_write(self._path, reason(error)) from error
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Let go of the file as it is; does nothing if it was closed."""
        self._file.close()


def amend(path: Path, additions: Additions, *, as_it_is: bool = False) -> None:
    """Change facts or arrays of a file that nobody is writing, whole or not at all.

    Everything else is as it was: a run that was killed is still one.

    Args:
        path: The file.
        additions: Facts and arrays that take the place of those in the file.
        as_it_is: Whether a file of an older version stays one; of facts alone, which
            every version has.

    Raises:
        RunFileError: The file cannot be used or written, or another process is writing
            it.
    """
    check_header(path)
    try:
        path = behind_links(path)
        file = _open_locked(path)
        try:
            found = Layout.of(file).version
            keep = as_it_is and found != LOG_VERSION
            version = found if keep else SCHEMA_VERSION
            file = _renewed(path, file, additions, version=version)
        finally:
            file.close()
    except _FAULTS as error:
        raise _cannot_write(path, reason(error)) from error


def check_free(path: Path) -> None:
    """Make sure that a run file can be created.

    Raises:
        RunBusyError: There is one of that name.
        RunFileError: It cannot be, for another reason.
    """
    obstacle = obstacle_to_create(path)
    if obstacle is not None:
        kind = RunBusyError if is_there(path) else RunFileError
        raise kind(f"{path} cannot be created: {obstacle}")


def check_unlocked(path: Path) -> None:
    """Make sure that nobody is writing a run file.

    Raises:
        RunBusyError: Another process is writing it.
        RunFileError: It cannot be opened.
    """
    try:
        _open_locked(path, mode="r+b" if WINDOWS else "rb").close()
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return what went wrong, without error number and file name."""
    return getattr(error, "strerror", None) or str(error)


def _cannot_write(path: Path, text: str) -> RunFileError:
    return RunFileError(f"{path} cannot be written: {text}")


def _lacks_room(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "").startswith(_NO_ROOM)
    return isinstance(error, OSError)


def _open_locked(path: Path, *, mode: str = "r+b") -> FileIO:
    """Open a file and take its lock.

    Raises:
        RunFileError: Another process is writing it.
        OSError: It cannot be opened.
    """
    while True:
        file = FileIO(path, mode)
        try:
            _lock(file, path)
            # Who held the lock before may have put another file in this one's place.
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: FileIO, path: Path) -> None:
    try:
        free = try_lock(file)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        # Then another writer is noticed once it has put its own file in this place.
        free = True
    if not free:
        raise RunBusyError(f"{path} is being written by {_writer(path)}")


def _writer(path: Path) -> str:
    """Return who writes a file, as far as the file tells."""
    query = "SELECT value FROM facts WHERE key = 'writer'"
    try:
        with closing(read_in_place(path)) as database:
            writer = json.loads(database.execute(query).fetchone()[0])
        return f"process {writer['pid']} on {writer['host']}; stop that run first"
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return "another process; stop that run first"


def _renewed(
    path: Path,
    old: FileIO,
    first: Additions,
    *,
    version: int = LOG_VERSION,
    step: int | None = None,
) -> FileIO:
    """Put a database that holds all of a file in its place.

    Args:
        path: The file.
        old: The file as it is open; its lock is held.
        first: Facts and arrays that take the place of those in the file.
        version: `LOG_VERSION` for a log to follow, `SCHEMA_VERSION` for none; an older
            one leaves the tables of a file of that version as they are.
        step: Outer step of the checkpoint that it should hold; None for any.

    Returns:
        The new file; its lock is held, and the old one is closed.

    Raises:
        RunBusyError: It holds another checkpoint.
        RunFileError: It is from a newer metalab, or damaged.
        sqlite3.Error: It is damaged, or there is no room.
        LogError: Its log is damaged.
        OSError: It cannot be written.
    """

    def make(database: sqlite3.Connection) -> None:
        fill(database, path)
        check_version(database, path)
        _check_pages(database)
        _check_step(database, path, step)
        if version >= SCHEMA_VERSION:
            migrate(database)
        write_newest(database, first.facts, first.arrays)

    part = written_database(path.parent, make, version=version)
    new = _replaced(old, part, path)
    # Only now: until the new file was in place, they held what the old one lacked.
    clear_side_files(path)
    return new


def _check_step(database: sqlite3.Connection, path: Path, step: int | None) -> None:
    """Refuse a file that another process took further after it had been read.

    Steps that are written would be computed again.
    """
    query = "SELECT value FROM facts WHERE key = 'checkpoint_step'"
    found = database.execute(query).fetchone()
    if step is not None and found is not None and int(found[0]) != step:
        raise RunBusyError(
            f"{path} was read at outer step {step:,}, and stands at {int(found[0]):,} "
            "now: another process went on with it"
        )


def _check_pages(database: sqlite3.Connection) -> None:
    """Refuse a database some pages of which are damaged, be they such as nobody reads.

    A run that went on in it would find them when it is closed.

    Raises:
        sqlite3.DatabaseError: Some are.
    """
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"damaged: {found.splitlines()[-1]}")


def _replaced(old: FileIO, part: Path, path: Path) -> FileIO:
    """Move a finished file into the place of one whose lock is held, with its lock."""
    if WINDOWS:
        # An open file cannot be replaced there.
        old.close()
        replace_under(part, path)
        return _open_locked(path)
    new = FileIO(part, "r+b")
    try:
        _lock(new, path)
        replace_under(part, path)
    except BaseException:
        new.close()
        part.unlink(missing_ok=True)
        raise
    old.close()
    return new


def _added(part: Path, path: Path) -> FileIO:
    """Give a finished file a name that nobody has, and take its lock."""
    if WINDOWS:
        add_under(part, path)
        return _open_locked(path)
    file = FileIO(part, "r+b")
    try:
        _lock(file, path)
        add_under(part, path)
    except BaseException:
        file.close()
        raise
    return file


def _write_at(file: FileIO, place: int, data: bytes) -> None:
    """Write at a place, down to the disk; what was half written before is written over."""
    file.seek(place)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    _sync(file.fileno())
