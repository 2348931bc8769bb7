"""Compiled kernels on this machine: kept in the user's cache, compiled in a child.

Compiling holds the interpreter's lock for many seconds, so that a window in the same
process would freeze. A child process fills the cache instead; afterwards loading takes a
fraction of a second.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from metalab.core.fused.availability import FOLDER_VARIABLE, digest, missing_compiler

POLL_SECONDS = 0.05
_TAIL = 400
"""Characters of a failed compiler's last words that are shown."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the kernels of one precision can be used.

    Attributes:
        ready: They are compiled and kept.
        reason: Why not; "" while they can be.
    """

    ready: bool
    reason: str = ""


def cache_folder() -> Path:
    """Return where compiled code is kept, for all versions together."""
    told = os.environ.get(FOLDER_VARIABLE)
    if told:
        return Path(told)
    return platformdirs.user_cache_path("metalab", appauthor=False) / "kernels"


def use_cache() -> None:
    """Make this process, and its children, keep compiled code in the cache.

    To be called before the kernels are imported.
    """
    os.environ[FOLDER_VARIABLE] = str(cache_folder())


def _marker(precision: str) -> Path:
    return cache_folder() / digest() / f"{precision}.ready"


def readiness(precision: str) -> Readiness:
    """Return whether kernels are ready, without compiling anything."""
    missing = missing_compiler()
    if missing is not None:
        return Readiness(ready=False, reason=missing)
    if _marker(precision).exists():
        return Readiness(ready=True)
    return Readiness(ready=False, reason="not compiled yet")


def compile_here(precision: str) -> None:
    """Compile the kernels of one precision in this process, and say so on disk.

    What other versions left in the cache is removed.
    """
    load(precision)
    marker = _marker(precision)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    for other in cache_folder().iterdir():
        if other.is_dir() and other.name != digest():
            shutil.rmtree(other, ignore_errors=True)


def load(precision: str) -> None:
    """Bring the kernels of one precision into this process, compiled or not."""
    use_cache()
    import torch  # noqa: PLC0415

    from metalab.core.fused.warm import warm  # noqa: PLC0415

    warm({"float32": torch.float32, "float64": torch.float64}[precision])


def _command(precision: str) -> list[str]:
    module = [] if getattr(sys, "frozen", False) else ["-m", "metalab"]
    return [sys.executable, *module, "kernels", "--precision", precision]


def prepare(precision: str, *, cancelled: Callable[[], bool]) -> Readiness:
    """Make the kernels of one precision ready, in a child process if need be.

    Args:
        precision: "float32" or "float64".
        cancelled: Asked some twenty times a second; the child ends when it says True.

    Thread: any but the window's; it is blocked for as long as compiling takes.
    """
    use_cache()
    found = readiness(precision)
    if found.ready or missing_compiler() is not None:
        return found
    try:
        child = subprocess.Popen(
            _command(precision),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        return Readiness(ready=False, reason=f"the compiler did not start: {error}")
    words = _last_words(child, cancelled)
    if words is None:
        return Readiness(ready=False, reason="compiling was cancelled")
    found = readiness(precision)
    if found.ready:
        return found
    return Readiness(ready=False, reason=f"compiling failed: {words[-_TAIL:].strip()}")


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
    parts: list[str] = []
    for precision in ("float32", "float64"):
        found = readiness(precision)
        parts.append(f"{precision}: {'compiled' if found.ready else found.reason}")
    return f"{'; '.join(parts)} ({cache_folder()})"
