"""The folder that the run files of a sweep are kept in: one sweep at a time."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from metalab.runs.batch.batch import BatchError
from metalab.runs.system.file_lock import NO_LOCKS, try_lock

LOCK_NAME = ".sweep"
"""File that is locked while a sweep is run in its folder; it holds a token by which
another computer knows that it sees the same folder."""

_TOKEN_BYTES = 16
_MOST_LETTERS = 100


@contextmanager
def held_folder(folder: Path) -> Generator[None, None, None]:
    """Keep a folder of runs for one sweep at a time, until the process ends.

    Raises:
        BatchError: Another process runs a sweep in it, or it takes no file.
    """
    try:
        file = (folder / LOCK_NAME).open("ab")
    except OSError as error:
        raise BatchError(f"cannot keep runs in {folder}: {error.strerror}") from error
    with file:
        try:
            free = try_lock(file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            # Then the lock of each run file is in the way of two writers, or nothing is.
            free = True
        if not free:
            raise BatchError(
                f"another process is running a sweep in {folder}; wait for it, stop it, "
                "or choose another folder"
            )
        file.truncate(0)
        file.write(secrets.token_hex(_TOKEN_BYTES).encode())
        file.flush()
        yield


def token_of(folder: Path) -> str:
    """Return the token of the sweep that is run in a folder; "" where there is none."""
    try:
        with (folder / LOCK_NAME).open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_LETTERS)
    except OSError:
        return ""
