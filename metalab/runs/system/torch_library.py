"""Loading torch's shared library without stopping the window."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path


def torch_folder() -> Path | None:
    """Return where torch keeps its libraries; None if there is no torch."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "lib"


def load_torch_library() -> None:
    """Load what `import torch` loads first, without the interpreter's lock.

    Python's import holds the lock while the system maps and initialises the library,
    for a fifth of a second and more: no frame could be drawn. A foreign call gives it
    up. The import that follows finds the library loaded, or loads it as ever where this
    does nothing: on Windows, and in builds for CUDA, whose libraries torch finds in
    ways of its own.

    Thread: a background thread.
    """
    folder = torch_folder()
    if sys.platform == "win32" or folder is None:
        return
    suffix = "dylib" if sys.platform == "darwin" else "so"
    if (folder / f"libtorch_cuda.{suffix}").exists():
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    # In torch's own order: others find the symbols of the first.
    first = folder / f"libtorch_global_deps.{suffix}"
    load(os.fsencode(first), os.RTLD_NOW | os.RTLD_GLOBAL)
    load(os.fsencode(folder / f"libtorch_python.{suffix}"), os.RTLD_NOW)
