"""Paths that a person names: whether they can be read or written, and how.

Asked before anything is opened: opening a pipe waits for a writer who may never come, a
device has no end, and moving a file to a device's name would take the device away.
"""

import os
import shutil
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

_LONGEST_PARTIAL = 60

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def obstacle_to_replace(files: Iterable[Path], *, force: bool) -> str | None:
    """Return which files would be replaced unasked, with what to do, or None.

    Args:
        files: All that will be written.
        force: Whether to replace what is there.
    """
    there = [path for path in files if is_there(path)]
    if force or not there:
        return None
    verb = "exists" if len(there) == 1 else "exist"
    names = " and ".join(map(str, there))
    return f"{names} {verb} already; choose another name, or --force"


def is_there(path: Path) -> bool:
    """Return whether a path leads to anything; False where nobody may look."""
    return os.access(path, os.F_OK)


TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".parquet")
"""Of files that the window opens as a person's table."""


def obstacle_to_read(path: Path) -> str | None:
    """Return why a file cannot be read, as the end of a sentence; None if it can."""
    try:
        kind = _kind(path)
    except OSError as error:
        return error.strerror
    return f"it is {kind}, not a file" if kind else None


def obstacle_to_write(path: Path) -> str | None:
    """Return why `replace_file` would fail, as the end of a sentence; None if it would not.

    What is there is replaced if it is an ordinary file, and never if it is anything else.
    """
    target = behind_links(path)
    try:
        kind = _kind(target)
    except FileNotFoundError:
        kind = None
    except OSError as error:
        return error.strerror
    if kind:
        return f"it is {kind}, not a file"
    return obstacle_in(target.parent)


def obstacle_to_create(path: Path) -> str | None:
    """Return why no new file can be made, as the end of a sentence; None if one can.

    Whatever has the name already stands in the way, a link that leads nowhere too.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return obstacle_in(path.parent)
    except OSError as error:
        return obstacle_in(path.parent) or error.strerror
    return "it exists already; choose another name"


def obstacle_to_keep(folder: Path) -> str | None:
    """Return why files cannot be kept in a folder, which is made if need be."""
    if not folder.is_absolute():
        return "no home folder is known here"
    for place in (folder, *folder.parents):
        try:
            place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{place}: {error.strerror}"
        return obstacle_in(place)
    return f"there is no folder {folder.anchor}"


def behind_links(path: Path) -> Path:
    """Return what links lead to: they stay links. One that leads in a circle stays."""
    return Path(os.path.realpath(path))


def obstacle_in(folder: Path) -> str | None:
    """Return why no file can be made in a folder; None if one can."""
    try:
        kind = _kind(folder)
    except FileNotFoundError:
        return f"the folder {folder} does not exist"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if kind != "a folder" or not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is not a folder that can be written to"
    return None


def obstacle_to_fill(folder: Path) -> str | None:
    """Return why files cannot be put in a folder, which may be made for them, or None."""
    target = behind_links(folder)
    return obstacle_in(target if is_there(folder) else target.parent)


@contextmanager
def filled_folder(folder: Path, *, instead_of: str = "") -> Generator[Path]:
    """Yield a folder to write files to; then they move to another one, which may be there.

    Args:
        folder: Where the files shall stand; a link to a folder stays one.
        instead_of: Pattern of files there that they take the place of, whatever they are
            called; "" for those of the same names alone.

    Raises:
        OSError: They cannot be written; what was there stays.
    """
    target = behind_links(folder)
    part = partial_of(target)
    try:
        part.mkdir()
        yield part
        if not target.exists():
            part.rename(target)
            return
        older = set(target.glob(instead_of)) if instead_of else set[Path]()
        for file in sorted(part.iterdir()):
            place = target / file.name
            file.replace(place)
            older.discard(place)
        for file in older:
            file.unlink()
    finally:
        shutil.rmtree(part, ignore_errors=True)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its final name, then move it there in one step.

    Raises:
        OSError: It cannot be written, or is no ordinary file; what was there stays.
    """
    obstacle = obstacle_to_write(path)
    if obstacle is not None:
        raise OSError(0, obstacle)
    target = behind_links(path)
    partial = partial_of(target)
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def partial_of(target: Path, *, suffix: str = ".part") -> Path:
    """Return a hidden name of this process's beside a file, however long its own is."""
    start = target.name.encode("utf-8", "surrogateescape")[:_LONGEST_PARTIAL]
    stem = start.decode("utf-8", "ignore")
    return target.with_name(f".{stem}.{os.getpid()}{suffix}")


def _kind(path: Path) -> str:
    """Return what a path is, "" for an ordinary file.

    Raises:
        OSError: There is nothing, or nobody may look.
    """
    mode = path.stat().st_mode
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "")
