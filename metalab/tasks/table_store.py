"""Tables by the hash of their content: what an experiment names, and where it is found.

An experiment names a table as "gapminder.csv@95da6f825d13427f": the file's name for
people, the hash for everybody else. Its content comes from a file that was opened, from a
run file that carries it, or from a folder in which a file of that name has that hash.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from metalab.core.assets import assets_folder
from metalab.core.paths import obstacle_to_read
from metalab.tasks.table_reading import MOST_BYTES, Table, TableError, read_table

_REFERENCE = re.compile(r"(?P<name>.+)@(?P<digest>[0-9a-f]{16})", re.DOTALL)
_MOST_PARSED = 8
"""Tables that stay parsed; their bytes stay as long as the process."""

_contents: dict[str, bytes] = {}
_folders: dict[Path, None] = {}


def remember(name: str, content: bytes) -> str:
    """Keep a table for this process; return what experiments call it."""
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    _contents.setdefault(digest, content)
    return f"{name}@{digest}"


def open_table(path: Path) -> str:
    """Read a file, keep it for this process, and return what experiments call it.

    Files of its folder are found from then on.

    Raises:
        TableError: It cannot be read, or is no table.
    """
    obstacle = obstacle_to_read(path)
    if obstacle is not None:
        raise TableError(f"{path} cannot be read: {obstacle}")
    try:
        with path.open("rb") as stream:
            # One byte more than is allowed: what is larger is not read in.
            content = stream.read(MOST_BYTES + 1)
        read_table(content)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    except TableError as error:
        raise TableError(f"{path} {error}") from error
    look_in(path.parent)
    return remember(path.name, content)


def reference_of(text: str) -> str:
    """Return what experiments call a table, from that or from the path of a file.

    Raises:
        TableError: It is the path of what is no table.
    """
    if _REFERENCE.fullmatch(text):
        return text
    path = Path(text).expanduser()
    places = [folder / path for folder in (Path(), *_folders)]
    return open_table(next((place for place in places if place.exists()), path))


def name_of(reference: str) -> str:
    """Return the name of a table's file."""
    found = _REFERENCE.fullmatch(reference)
    return found["name"] if found else reference


def content_of(reference: str) -> bytes | None:
    """Return the bytes of a table; None where they are not to be found here."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    digest = found["digest"]
    if digest not in _contents:
        for folder in (*_folders, Path(), assets_folder() / "data"):
            content = _read_if_there(folder / found["name"])
            if content is not None:
                remember(found["name"], content)
    return _contents.get(digest)


def table_of(reference: str) -> Table:
    """Return a table, parsed.

    Raises:
        TableError: It is not here, or is no table.
    """
    if not _REFERENCE.fullmatch(reference):
        raise TableError(f"{reference!r} names no table")
    content = content_of(reference)
    if content is None:
        name, digest = reference.rsplit("@", 1)
        raise TableError(
            f"the table {name!r} ({digest}) is not here: open the file it was made from "
            "(File > Open data…, or --data), or a run that carries it"
        )
    return _parsed(reference.rsplit("@", 1)[1])


def look_in(folder: Path) -> None:
    """Find tables in a folder too, by name and hash."""
    _folders[folder.absolute()] = None


@lru_cache(maxsize=_MOST_PARSED)
def _parsed(digest: str) -> Table:
    return read_table(_contents[digest])


def _read_if_there(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None
