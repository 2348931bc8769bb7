"""Dependencies of compiled code. Does not import numba."""

import hashlib
import os
import platform
import stat
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER_VARIABLE = "METALAB_KERNELS"
"""Environment variable: the folder in which compiled code is kept."""

PARTS = STEPS, ANSWERS = "steps", "answers"
"""Parts that can be compiled in two processes at a time: the outer step, which is half of
the work, and everything that is asked of one: losses, gradients, adapted curves."""

WORK = {STEPS: 122, ANSWERS: 100}
"""The work of each part, in functions, for whoever waits: 102 and 86 of them, and the
machine code of the whole at the end, which takes as long as some more."""


def missing_compiler() -> str | None:
    """Return why nothing can be compiled, or None."""
    for package in ("numba", "llvmlite"):
        try:
            version(package)
        except PackageNotFoundError:
            return f"{package} is not installed"
    return None


def foreign_writer(folder: Path) -> str | None:
    """Return why compiled code in a folder may be somebody else's, or None.

    Numba keeps it as pickles, which run whatever they were made to run. So it is loaded
    only from a folder that is this person's, and that nobody else can write to: neither
    the folder nor anything in it. A folder that is not there yet is nobody's.

    On Windows nothing is said: the cache lies in the person's profile, whose rights are
    no bits of a mode.
    """
    if sys.platform == "win32" or not folder.exists():
        return None
    # Nobody else comes past a folder that is closed to them.
    closed = not stat.S_IMODE(folder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    for path in (folder, *_within(folder)):
        found = path.lstat()
        if found.st_uid not in (os.geteuid(), 0):
            return f"{path} belongs to another user"
        if not closed and _others_write(found):
            return f"{path} can be written to by others"
    return None


def _within(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


if sys.platform != "win32":
    import grp
    import pwd

    def _others_write(found: os.stat_result) -> bool:
        if stat.S_ISLNK(found.st_mode):
            return False  # its rights are those of what it leads to
        if found.st_mode & stat.S_IWOTH:
            return True
        return bool(found.st_mode & stat.S_IWGRP) and not _is_own(found.st_gid)

    def _is_own(gid: int) -> bool:
        """Return whether a group has no other member than this person.

        Many systems give every person a group, and write to it by default.
        """
        try:
            me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
        except KeyError:
            return False
        others = set(group.gr_mem) - {me.pw_name}
        return gid == me.pw_gid and group.gr_name == me.pw_name and not others


@cache
def digest() -> str:
    """Return a name that changes with the kernels, the compiler and the processor.

    Raises:
        PackageNotFoundError: There is no compiler.
    """
    parts = [version("numba"), version("llvmlite"), version("numpy")]
    parts += [platform.python_version(), platform.machine(), _processor()]
    folder = Path(__file__).parent
    # numba looks for the code of a function under the path of its source.
    parts.append(str(folder))
    sources = sorted([*folder.glob("*.py"), *folder.glob("kernels/*.py")])
    parts += [source.read_text("utf-8") for source in sources]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def _processor() -> str:
    """Return the processor's name and features, as far as the system tells them."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    lines = text.splitlines()
    kept = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(kept)}))
