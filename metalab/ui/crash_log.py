"""Noticing, at the next start, that metalab did not close properly."""

import faulthandler
import os
from pathlib import Path
from typing import TextIO

from metalab.runs.faults import FaultLog
from metalab.runs.home import log_home

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
        self._file: TextIO | None = None

    def open(self, faults: FaultLog) -> None:
        """Report what earlier windows left, and begin a file of our own."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(self._folder.glob(f"{_PREFIX}*{_SUFFIX}")):
                if not _in_use(path):
                    _report(path, faults)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            faults.add(f"No log of crashes can be written: {error}")
        else:
            faulthandler.enable(self._file)

    def close(self) -> None:
        """Say that the window has closed properly."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._path.unlink(missing_ok=True)


def _report(path: Path, faults: FaultLog) -> None:
    details = path.read_text(encoding="utf-8", errors="replace")[:_MOST_DETAILS]
    faults.add(
        "metalab did not close properly last time; its run can be opened from its file",
        details or "It was ended from outside: there is no traceback.",
    )
    path.unlink()


def _in_use(path: Path) -> bool:
    """Return whether the process whose number is in the name still runs."""
    number = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if not number.isdigit() or int(number) == os.getpid():
        return False
    if os.name == "nt":
        # os.kill would end the process there; an open file cannot be removed instead.
        try:
            path.rename(path)
        except OSError:
            return True
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
