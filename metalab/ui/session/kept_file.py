"""Small files that the window keeps between starts. No Qt.

Whatever has become of such a file, the window opens: what cannot be read is set aside,
with a word, and nothing that a person has made is overwritten.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from metalab.experiment.plain_data import PlainDataError, from_json, read_text

MOST_BYTES = 5_000_000
"""Of one file; bookmarks of five hundred runs take some hundred thousand."""


class KeptFileError(Exception):
    """A kept file that cannot be used; the message says why.

    Attributes:
        aside: Where the file is now, in a sentence; "" if it stays where it was.
    """

    def __init__(self, message: str, aside: str = "") -> None:
        super().__init__(message)
        self.aside = aside


def read_kept(path: Path) -> dict[str, Any]:
    """Return what a kept file holds; nothing where there is none.

    Raises:
        KeptFileError: It cannot be read, or holds no table; it has been set aside where
            that is possible.
    """
    try:
        content = from_json(read_text(path, most_bytes=MOST_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        # Nothing is known of what it holds: it stays where it is.
        raise KeptFileError(f"{path} cannot be read: {error.strerror}") from error
    except PlainDataError as error:
        raise KeptFileError(f"{path} {error}", _moved_aside(path)) from error
    if not isinstance(content, dict):
        raise KeptFileError(f"{path} is not a table of settings", _moved_aside(path))
    return content


def copied_aside(path: Path) -> str:
    """Keep a copy of a file of which not everything was understood; say where."""
    backup = _aside(path)
    try:
        shutil.copyfile(path, backup)
    except OSError as error:
        return f"It could not be copied aside: {error.strerror}"
    return f"The file as it was is in {backup}"


def _moved_aside(path: Path) -> str:
    backup = _aside(path)
    try:
        path.replace(backup)
    except OSError as error:
        return f"It could not be set aside: {error.strerror}"
    return f"The file as it was is now {backup}"


def _aside(path: Path) -> Path:
    return path.with_suffix(f".backup{path.suffix}")


def write_kept(path: Path, text: str) -> None:
    """Write a file; it is either the old or the new one, never half.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
