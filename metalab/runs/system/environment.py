"""Versions and machine that a run was computed with."""

import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import metalab

PACKAGES = (
    "torch",
    "numpy",
    "numba",
    "llvmlite",
    "pydantic",
    "safetensors",
    "matplotlib",
    "PySide6-Essentials",
    "pyqtgraph",
)


def package_versions() -> dict[str, str]:
    """Return the version of each package that metalab stands on; "" if missing."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def environment() -> Mapping[str, str]:
    """Return versions and machine, as plain text values."""
    return {
        "metalab": metalab.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count() or 0),
        "executable": sys.executable,
        **package_versions(),
    }
