"""The platform's trash: run files are moved there, and back.

`send2trash` knows each platform's trash and tells nobody where a file went; where the
trash is that of freedesktop.org (Linux, BSD), its records say so, and the file can be
moved back.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from send2trash import send2trash

from metalab.runs.record.file_format import RunFileError
from metalab.runs.system.new_file import add_under

_RECORD_SUFFIX = ".trashinfo"
_PATH_KEY = "Path="
_SIDE_FILES = ("-wal", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """A file in the trash.

    Attributes:
        path: Where it was.
        place: Where it is now; None where the platform does not say.
        record: The trash's record of it.
    """

    path: Path
    place: Path | None = None
    record: Path | None = None


def move_to_trash(path: Path) -> Trashed:
    """Move a file into the platform's trash.

    Raises:
        RunFileError: It cannot be moved there; it is where it was.
    """
    path = path.absolute()
    before = set(_records(path))
    try:
        send2trash(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFileError(f"{path} cannot be moved to the trash: {reason}") from error
    for record in _records(path):
        if record not in before and _original(record) == path:
            place = record.parent.parent / "files" / record.name[: -len(_RECORD_SUFFIX)]
            if os.path.lexists(place):
                return Trashed(path=path, place=place, record=record)
    return Trashed(path=path)


def put_back(trashed: Trashed) -> None:
    """Move a file from the trash to where it was.

    Raises:
        RunFileError: Another file has its name now, it is not in the trash any more, or
            the platform does not say where it is.
    """
    path, place = trashed.path, trashed.place
    if place is None:
        raise RunFileError(f"{path} is in the trash: put it back from there")
    if os.path.lexists(path):
        raise RunFileError(f"{path} cannot be put back: another file has its name now")
    try:
        _move(place, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFileError(f"{path} cannot be put back: {reason}") from error
    if trashed.record is not None:
        # A record of nothing is no matter to a trash.
        with suppress(OSError):
            trashed.record.unlink()


def _move(place: Path, path: Path) -> None:
    """Move a file, also from another file system; the name appears with the whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.rename(path)
    except OSError:
        from shutil import copy2  # noqa: PLC0415 - seldom

        part = path.with_name(f".{path.name}.metalab-part")
        copy2(place, part)
        add_under(part, path)
        place.unlink()


def _records(path: Path) -> Iterator[Path]:
    """Yield the records of the trashes that a file may go to."""
    for trash in _trashes(path):
        with suppress(OSError):
            yield from (trash / "info").glob(
                f"{_glob_safe(path.stem)}*{_RECORD_SUFFIX}"
            )


def _glob_safe(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _trashes(path: Path) -> Iterator[Path]:
    """Yield the folders of a freedesktop.org trash: the home one, and the file system's.

    Source: "FreeDesktop.org Trash specification", version 1.0.
    """
    home = os.environ.get("XDG_DATA_HOME")
    yield (Path(home) if home else Path.home() / ".local" / "share") / "Trash"
    top = path.parent
    while not top.is_mount() and top != top.parent:
        top = top.parent
    user = os.getuid() if hasattr(os, "getuid") else 0
    yield top / ".Trash" / str(user)
    yield top / f".Trash-{user}"


def _original(record: Path) -> Path | None:
    """Return where a trashed file was, from its record."""
    with suppress(OSError, UnicodeDecodeError):
        for line in record.read_text(encoding="utf-8").splitlines():
            if line.startswith(_PATH_KEY):
                told = Path(unquote(line.removeprefix(_PATH_KEY)))
                if told.is_absolute():
                    return told
                # Of a trash on another file system: relative to its top.
                trash = record.parent.parent
                top = (
                    trash.parent.parent
                    if trash.parent.name == ".Trash"
                    else trash.parent
                )
                return top / told
    return None
