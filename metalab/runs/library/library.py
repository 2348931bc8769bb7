"""The library: a folder of run files, listed, changed, thrown away and taken back."""

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from metalab.runs.library.entry import RunEntry
from metalab.runs.library.index import Index, Stamp
from metalab.runs.library.labels import LabelChange, LabelError
from metalab.runs.library.marking import settle, waiting
from metalab.runs.library.reading import in_use, read_entry
from metalab.runs.record.file_format import RunFileError
from metalab.runs.system.home import RUN_SUFFIX

MOST_FILES = 100_000
_KEPT_AT_ONCE = 200
"""Files after which a long first look is kept: what is stopped goes on from there."""

_RESTS = 10.0
"""A run in progress is read again once so many times its reading have passed."""


class LibraryError(RunFileError):
    """A folder that cannot be a library; the message names it and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the folder has found.

    Attributes:
        entries: Every run file, by name of the file.
        num_read: Files that were read, because they were new or had changed.
        indexed: Whether the index could be kept, if there was anything to keep.
        seconds: Time that it took, s.
    """

    entries: tuple[RunEntry, ...]
    num_read: int = 0
    indexed: bool = True
    seconds: float = 0.0


@dataclass(slots=True)
class _Known:
    """An entry with what tells whether it is still true.

    Attributes:
        stamp: Of the file as it was read.
        entry: What was read.
        due: Monotonic time from which a run in progress is read again.
    """

    stamp: Stamp
    entry: RunEntry
    due: float = 0.0


class Library:
    """The run files of a folder; what was read once is kept here and in its index.

    Thread: any, one at a time; all of it reads or writes files.
    """

    def __init__(self, folder: Path) -> None:
        """Make one; nothing is read.

        Args:
            folder: Any folder; one that is not there has no runs.
        """
        self.folder = folder.absolute()
        self.index = Index(self.folder)
        self._known: dict[str, _Known] | None = None

    def look(
        self,
        *,
        tell: Callable[[int, int], None] = lambda _done, _total: None,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> Look:
        """Look at the folder: files that are new or have changed are read.

        Args:
            tell: Told how many of the files to be read have been, and how many there are.
            gives_up: Asked often whether to return with what there is.

        Raises:
            LibraryError: The folder is there and cannot be read.
        """
        began = time.monotonic()
        found = files_of(self.folder)
        first = self._known is None
        known = self._load()
        settled = {path.name for path in settle(self.folder)}
        if settled:
            found = files_of(self.folder)
        gone = [name for name in known if name not in found]
        for name in gone:
            del known[name]
        stale = [n for n, s in found.items() if n in settled or self._is_stale(n, s)]
        kept = self._read(stale, found, gone if not first else [], tell, gives_up)
        return Look(
            entries=self._entries(),
            num_read=len(stale),
            indexed=kept,
            seconds=time.monotonic() - began,
        )

    def _load(self) -> dict[str, _Known]:
        if self._known is None:
            rows = self.index.read()
            self._known = {name: _Known(*row) for name, row in rows.items()}
        return self._known

    def _is_stale(self, name: str, stamp: Stamp) -> bool:
        """Return whether a file has to be read."""
        assert self._known is not None, "the index is read first"
        known = self._known.get(name)
        if known is None:
            return True
        if known.stamp != stamp:
            return not known.entry.in_use or time.monotonic() >= known.due
        # Unreadable for want of a right, a plug-in or a newer metalab: that may change
        # without the file, and there are few.
        return bool(known.entry.problem) and time.monotonic() >= known.due

    def _read(
        self,
        stale: Sequence[str],
        found: Mapping[str, Stamp],
        gone: Sequence[str],
        tell: Callable[[int, int], None],
        gives_up: Callable[[], bool],
    ) -> bool:
        """Read files, and keep what they tell; return whether the index could be kept."""
        assert self._known is not None, "the index is read first"
        kept, fresh = True, list[tuple[Stamp, RunEntry]]()
        for count, name in enumerate(stale):
            if gives_up():
                break
            tell(count, len(stale))
            stamp, began = found[name], time.monotonic()
            entry = read_entry(self.folder / name)
            took = time.monotonic() - began
            due = time.monotonic() + max(_RESTS * took, 1.0)
            self._known[name] = _Known(stamp, entry, due)
            # One in use has changed before it is asked for again.
            if stamp.settled and not entry.in_use and not entry.problem:
                fresh.append((stamp, entry))
            if len(fresh) >= _KEPT_AT_ONCE:
                kept &= self.index.write(fresh)
                fresh = []
        if fresh or gone:
            kept &= self.index.write(fresh, gone)
        return kept

    def _entries(self) -> tuple[RunEntry, ...]:
        """Return the runs as they are now, with what waits for their end."""
        assert self._known is not None, "the index is read first"
        queued = waiting(self.folder)
        for known in self._known.values():
            entry = known.entry
            if entry.cut_short:
                now = in_use(entry.path)
                if now != entry.in_use:
                    known.entry = replace(entry, in_use=now)
        entries = (self._known[name].entry for name in sorted(self._known))
        return tuple(
            with_change(entry, queued[entry.path.name])
            if entry.path.name in queued
            else entry
            for entry in entries
        )

    def stamp(self, path: Path) -> Stamp | None:
        """Return what tells the file's content as it was read; None for an unknown one."""
        known = (self._known or {}).get(path.name)
        return None if known is None else known.stamp


def with_change(entry: RunEntry, change: LabelChange) -> RunEntry:
    """Return a run as it will be once a waiting change is written."""
    try:
        labels = change.on(entry.labels)
    except LabelError:
        return entry
    return replace(entry, name=change.name or entry.name, labels=labels, waiting=True)


def check_free(path: Path) -> None:
    """Make sure that a run file may be moved away.

    Raises:
        RunFileError: It is not there, or somebody is writing it.
    """
    if not path.is_file():
        raise RunFileError(
            f"{path} cannot be moved to the trash: there is no such file"
        )
    if in_use(path) and read_entry(path).status is not None:
        raise RunFileError(
            f"{path} cannot be moved to the trash: its run goes on; stop it first"
        )


def files_of(folder: Path) -> dict[str, Stamp]:
    """Return the run files of a folder by name.

    Raises:
        LibraryError: The folder is there and cannot be read.
    """
    found: dict[str, Stamp] = {}
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number == MOST_FILES:
                    break
                if not entry.name.endswith(RUN_SUFFIX) or entry.name.startswith("."):
                    continue
                # One that was removed meanwhile is none.
                with suppress(FileNotFoundError, PermissionError):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        found[entry.name] = Stamp(status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LibraryError(f"{folder} cannot be read: {error.strerror}") from error
    return found
