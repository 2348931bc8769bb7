"""Compiled kernels on this machine: kept in the user's cache, compiled in a child.

Compiling holds the interpreter's lock for many seconds, so that a window in the same
process would freeze. A child process fills the cache instead; afterwards loading takes a
fraction of a second.

The cache has a folder for every version of kernels, compiler and processor. A file
`<precision>.ready` in it says that all kernels of a precision are there; while they are
being compiled, `<precision>.progress` has a line for every function that is done.
"""

import contextlib
import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from metalab.core.errors import UserError
from metalab.core.fused.availability import (
    ANSWERS,
    FOLDER_VARIABLE,
    PARTS,
    STEPS,
    WORK,
    digest,
    foreign_writer,
    missing_compiler,
)
from metalab.core.paths import obstacle_to_keep
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.faults import one_line
from metalab.runs.system.file_lock import locked
from metalab.runs.system.home import cache_home

PRECISIONS = ("float32", "float64")
POLL_SECONDS = 0.05
KEPT_SECONDS = 30 * 24 * 3600.0
"""How long the kernels of another version stay after their last use: it may be one of
several that are installed, or belong to another processor that shares the folder."""

_HELPED = "--helped"

_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows a console would open; elsewhere there is no such flag."""

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


def _progress(precision: str) -> Path:
    return _folder() / f"{precision}.progress"


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
    # numba writes to the folder even if it only reads from it.
    folder = _folder()
    return obstacle_to_keep(folder) or foreign_writer(folder)


def prepare(
    precision: str,
    *,
    cancelled: Callable[[], bool],
    on_compiling: Callable[[Compiling], None] | None = None,
) -> Readiness:
    """Make the kernels of one precision ready, and load them into this process.

    Args:
        precision: "float32" or "float64".
        cancelled: Asked some twenty times a second; the compiler ends when it says True.
        on_compiling: Told how far it is as often, if there is something to compile: twenty
            seconds to a minute of work for two processors.

    Thread: any but the window's; it is blocked for as long as compiling takes, without
        the interpreter's lock.
    """
    found = compile_ahead(precision, cancelled=cancelled, on_compiling=on_compiling)
    return load_kept(precision) if found.ready else found


def compile_ahead(
    precision: str,
    *,
    cancelled: Callable[[], bool],
    on_compiling: Callable[[Compiling], None] | None = None,
    idle: bool = False,
) -> Readiness:
    """Compile the kernels of one precision in another process, and load none.

    Args:
        precision: "float32" or "float64".
        cancelled: Asked some twenty times a second; the compiler ends when it says True.
        on_compiling: Told how far it is as often.
        idle: Whether everything else comes first.
    """
    found = readiness(precision)
    if found.ready or _obstacle() is not None:
        return found
    begin = time.perf_counter()

    def wait() -> bool:
        if on_compiling is not None:
            done = _done(precision)
            on_compiling(
                Compiling(
                    share=min(1.0, len(done) / sum(WORK.values())),
                    name=done[-1] if done else "",
                    seconds=time.perf_counter() - begin,
                )
            )
        return cancelled()

    return _compile_in_child(precision, wait, idle=idle)


def _done(precision: str) -> list[str]:
    """Return the functions that are compiled, as far as a compiler at work tells."""
    try:
        return _progress(precision).read_text("utf-8").split()
    except OSError:
        return []


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


def load(precision: str, *parts: str) -> None:
    """Bring the kernels of one precision into this process, compiled or not.

    Args:
        precision: "float32" or "float64".
        parts: Of `PARTS`; all when left out.
    """
    use_cache()
    with _loading:
        import torch  # noqa: PLC0415

        from metalab.core.fused.warm import warm  # noqa: PLC0415

        dtype = {"float32": torch.float32, "float64": torch.float64}[precision]
        warm(dtype, parts or PARTS, tell=_teller(_progress(precision)))


def _teller(path: Path) -> Callable[[str], None]:
    """Return what writes down a function that was compiled, for whoever waits for it."""

    def tell(name: str) -> None:
        # Opened for each: where everything is compiled, there is nothing to write.
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    return tell


def compile_here(precision: str) -> None:
    """Compile the kernels of one precision in this process, and say so on disk.

    Of several processes one compiles, and the others wait for it; a second one helps it.
    What other versions left in the cache long ago is removed.

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
                _progress(precision).write_text("", "utf-8")
                _compile(precision)
                _marker(precision).touch()
                _progress(precision).unlink(missing_ok=True)
    except OSError as error:
        raise KernelError(f"{_folder()} cannot be used: {error}") from error
    _remove_old()


def _compile(precision: str) -> None:
    """Compile both parts side by side; what the helper has not done is done here."""
    use_cache()
    try:
        helper = subprocess.Popen(
            [*_command(precision), _HELPED],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW,
        )
    except OSError:
        load(precision)
        return
    with helper, _without_collector():
        load(precision, STEPS)
        helper.wait()
    load(precision)


@contextlib.contextmanager
def _without_collector() -> Generator[None]:
    """Look for no garbage: there is next to none, and looking takes an eighth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def help_compiling(precision: str) -> None:
    """Compile half of the kernels, for a process that holds the lock.

    It ends when that one does, which holds the other end of its standard input.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with _without_collector():
        load(precision, ANSWERS)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


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


def _compile_in_child(
    precision: str, cancelled: Callable[[], bool], *, idle: bool
) -> Readiness:
    use_cache()
    try:
        child = subprocess.Popen(
            [*_command(precision), *(["--idle"] if idle else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            creationflags=_NO_WINDOW,
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
