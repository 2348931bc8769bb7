"""What compiled code depends on. Asking needs no compiler."""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER_VARIABLE = "METALAB_KERNELS"
"""Environment variable: the folder in which compiled code is kept."""


def missing_compiler() -> str | None:
    """Return why nothing can be compiled, or None."""
    for package in ("numba", "llvmlite"):
        try:
            version(package)
        except PackageNotFoundError:
            return f"{package} is not installed"
    return None


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
