"""Noticing, at the next start, that metalab did not close properly."""

import faulthandler
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from metalab.core.paths import obstacle_to_read
from metalab.runs.system.faults import FaultLog
from metalab.runs.system.file_lock import try_lock
from metalab.runs.system.home import log_home

_PREFIX, _SUFFIX = "open-", ".log"
_MOST_DETAILS = 20_000


class CrashLog:
    """A file for each open window, into which a crash is written; gone after a good end.

    A process that is killed leaves its file empty: that is reported too, since the run
    it was at can go on from its file.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = log_home() if folder is None else folder
        self._path = self._folder / f"{_PREFIX}{os.getpid()}{_SUFFIX}"
        self._file: BinaryIO | None = None

    def open(self, faults: FaultLog) -> None:
        """Report what earlier windows left, and begin a file of our own."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(self._folder.glob(f"{_PREFIX}*{_SUFFIX}")):
                # One that cannot be asked may be that of a window: it is left alone.
                with suppress(OSError):
                    _report(path, faults)
            self._file = self._path.open("wb")
        except OSError as error:
            faults.add(f"No log of crashes can be written: {error}")
            return
        with suppress(OSError):
            # Without locks other windows leave every log alone.
            try_lock(self._file)
        faulthandler.enable(self._file)

    def close(self) -> None:
        """Say that the window has closed properly."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._path.unlink(missing_ok=True)


def _report(path: Path, faults: FaultLog) -> None:
    """Tell of a window that is gone, once; the log of one that is open stays as it is.

    Such a window holds the lock of its log. A process number would say less: it is given
    to others, and may be any text here.
    """
    if obstacle_to_read(path) is not None:
        return
    with path.open("r+b") as file:
        if not try_lock(file):
            return
        details = file.read(_MOST_DETAILS).decode("utf-8", "replace")
    path.unlink()
    faults.add(
        "metalab did not close properly last time; its run can be opened from its file",
        details or "It was ended from outside: there is no traceback.",
    )
