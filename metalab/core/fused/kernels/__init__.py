"""What numba compiles.

Compiled code is kept on disk, apart for every version of these sources, of the compiler
and of the processor: numba itself looks at one file at a time, and would go on using a
kernel whose callee has changed in another.
"""

import os
from pathlib import Path

import numba

from metalab.core.fused.availability import (
    FOLDER_VARIABLE,
    digest,
    foreign_writer,
)


def _folder() -> Path:
    """Return where compiled code is kept: as told, or beside the sources."""
    told = os.environ.get(FOLDER_VARIABLE)
    return (Path(told) if told else Path(__file__).parent / "__pycache__") / digest()


def _usable(folder: Path) -> bool:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(existing, os.W_OK) and foreign_writer(folder) is None


# Where nothing can be written, or others could have, numba looks for a place of its own.
if _usable(_folder()):
    numba.config.CACHE_DIR = str(_folder())  # pyright: ignore[reportAttributeAccessIssue]
