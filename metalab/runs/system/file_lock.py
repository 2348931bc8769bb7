"""A lock that processes share, and that ends with the process that holds it."""

import errno
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_POLL_SECONDS = 0.1
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Error numbers of file systems that have no locks."""

if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 2**62
    """Far behind the end of any file: a byte that is locked cannot be read by others."""

    def _try(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error

    def _give_back(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try(file: IO[bytes]) -> None:
        # Of the open file, not of the process: another descriptor of the same file that
        # is closed does not take it away.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _give_back(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def try_lock(file: IO[bytes]) -> bool:
    """Take the lock of an open file, and hold it until the file is closed.

    Returns:
        Whether nobody else holds it.

    Raises:
        OSError: The file cannot be locked; of `NO_LOCKS` if none on its file system can.
    """
    try:
        _try(file)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Wait until no other process holds the lock, and hold it for a while.

    Args:
        path: A file that is made if there is none, and stays.

    Raises:
        OSError: The file cannot be made, or its file system has no locks.
    """
    with path.open("ab") as file:
        while not try_lock(file):
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            _give_back(file)
