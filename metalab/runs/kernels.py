"""Compiled kernels on this machine: kept in the user's cache, compiled in a child.

Compiling holds the interpreter's lock for many seconds, so that a window in the same
process would freeze. A child process fills the cache instead; afterwards loading takes a
fraction of a second.

The cache has a folder for every version of kernels, compiler and processor. A file
`<precision>.ready` in it says that all kernels of a precision are there.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metalab.core.errors import UserError
from metalab.core.fused.availability import (
    FOLDER_VARIABLE,
    digest,
    foreign_writer,
    missing_compiler,
)
from metalab.runs.faults import one_line
from metalab.runs.file_lock import locked
from metalab.runs.home import cache_home

PRECISIONS = ("float32", "float64")
POLL_SECONDS = 0.05
KEPT_SECONDS = 30 * 24 * 3600.0
"""How long the kernels of another version stay after their last use: it may be one of
several that are installed, or belong to another processor that shares the folder."""

_COMMAND_PREFIX = "metalab: "
"""What the command line puts before a message."""

_loading = threading.Lock()
"""The window's threads share the modules of the kernels: one imports, the other waits.
Python's own locks let two imports of modules that need each other see halves of them."""


class KernelError(UserError):
    """The kernels cannot be compiled here."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the kernels of one precision can be used.

    Attributes:
        ready: They are compiled and kept.
        reason: Why not; "" if they are.
    """

    ready: bool
    reason: str = ""


def cache_folder() -> Path:
    """Return where compiled code is kept, for all versions together."""
    told = os.environ.get(FOLDER_VARIABLE)
    return Path(told).absolute() if told else cache_home() / "kernels"


def use_cache() -> None:
    """Make this process, and its children, keep compiled code in the cache.

    To be called before the kernels are imported.
    """
    os.environ[FOLDER_VARIABLE] = str(cache_folder())


def _folder() -> Path:
    return cache_folder() / digest()


def _marker(precision: str) -> Path:
    return _folder() / f"{precision}.ready"


def readiness(precision: str) -> Readiness:
    """Return whether kernels are ready, without compiling or importing anything."""
    obstacle = _obstacle()
    if obstacle is not None:
        return Readiness(ready=False, reason=obstacle)
    if _marker(precision).exists():
        return Readiness(ready=True)
    return Readiness(ready=False, reason="not compiled yet")


def _obstacle() -> str | None:
    """Return why nothing can be compiled or loaded here, or None."""
    missing = missing_compiler()
    if missing is not None:
        return f"{missing} (pip install numba)"
    folder = _folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    # numba writes to the folder even if it only reads from it.
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} is not a folder that can be written to"
    return foreign_writer(folder)


def prepare(
    precision: str,
    *,
    cancelled: Callable[[], bool],
    on_compiling: Callable[[], None] | None = None,
) -> Readiness:
    """Make the kernels of one precision ready, and load them into this process.

    Args:
        precision: "float32" or "float64".
        cancelled: Asked some twenty times a second; the compiler ends when it says True.
        on_compiling: Called if there is something to compile: half a minute of work.

    Thread: any but the window's; it is blocked for as long as compiling takes, without
        the interpreter's lock.
    """
    if not readiness(precision).ready and _obstacle() is None:
        if on_compiling is not None:
            on_compiling()
        found = _compile_in_child(precision, cancelled)
        if not found.ready:
            return found
    return load_kept(precision)


def load_kept(precision: str) -> Readiness:
    """Load the kernels of one precision if they are compiled; never compile any.

    Thread: any but the window's.
    """
    found = readiness(precision)
    if not found.ready:
        return found
    try:
        load(precision)
    except Exception as error:  # noqa: BLE001 - any fault of the compiler: runs do without
        return Readiness(
            ready=False, reason=f"they cannot be loaded: {one_line(error)}"
        )
    with contextlib.suppress(OSError):
        # Of the last use; a cache without it is only removed sooner.
        _marker(precision).touch()
    return Readiness(ready=True)


def load(precision: str) -> None:
    """Bring the kernels of one precision into this process, compiled or not."""
    use_cache()
    with _loading:
        import torch  # noqa: PLC0415

        from metalab.core.fused.warm import warm  # noqa: PLC0415

        warm({"float32": torch.float32, "float64": torch.float64}[precision])


def compile_here(precision: str) -> None:
    """Compile the kernels of one precision in this process, and say so on disk.

    Of several processes one compiles, and the others wait for it. What other versions
    left in the cache long ago is removed.

    Raises:
        KernelError: There is no compiler, or the cache cannot be written.
    """
    obstacle = _obstacle()
    if obstacle is not None:
        raise KernelError(obstacle)
    try:
        # What is compiled is loaded as code: others need not even see it.
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        # Two at once would each add to numba's index, and lose what the other has added.
        with locked(_folder() / "lock"):
            if not readiness(precision).ready:
                load(precision)
                _marker(precision).touch()
    except OSError as error:
        raise KernelError(f"{_folder()} cannot be used: {error}") from error
    _remove_old()


def _remove_old() -> None:
    oldest = time.time() - KEPT_SECONDS
    for other in cache_folder().iterdir():
        if other.is_dir() and other != _folder() and _last_used(other) < oldest:
            shutil.rmtree(other, ignore_errors=True)


def _last_used(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.glob("*.ready")))


def _command(precision: str) -> list[str]:
    module = [] if getattr(sys, "frozen", False) else ["-m", "metalab"]
    return [sys.executable, *module, "kernels", "--precision", precision]


def _compile_in_child(precision: str, cancelled: Callable[[], bool]) -> Readiness:
    use_cache()
    try:
        child = subprocess.Popen(
            _command(precision),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # On Windows a console would open; elsewhere there is no such flag.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        return Readiness(ready=False, reason=f"the compiler did not start: {error}")
    words = _last_words(child, cancelled)
    if words is None:
        return Readiness(ready=False, reason="compiling was cancelled")
    if child.returncode == 0 and _marker(precision).exists():
        return Readiness(ready=True)
    lines = words.strip().splitlines() or [
        f"the compiler ended with {child.returncode}"
    ]
    return Readiness(
        ready=False,
        reason=f"compiling failed: {lines[-1].removeprefix(_COMMAND_PREFIX)}",
    )


def _last_words(
    child: subprocess.Popen[str], cancelled: Callable[[], bool]
) -> str | None:
    """Wait for a child and return what it wrote on stderr; None if it was stopped."""
    while True:
        try:
            return child.communicate(timeout=POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            if cancelled():
                child.kill()
                child.communicate()
                return None


def kernel_report() -> str:
    """Return what there is of compiled kernels, for `metalab doctor`."""
    obstacle = _obstacle()
    if obstacle is not None:
        return f"unavailable because {obstacle}"
    states = {
        name: "cached" if readiness(name).ready else readiness(name).reason
        for name in PRECISIONS
    }
    parts = [f"{name} {state}" for name, state in states.items()]
    return f"{', '.join(parts)} ({_folder()})"
