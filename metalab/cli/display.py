"""Test whether a window can open here, without importing Qt."""

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

WINDOWLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
"""Qt platforms that need no display server."""

_CONNECT_SECONDS = 2.0

SYSTEM_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
"""Libraries that Qt loads on Linux and its wheel does not carry -> Debian package."""


def display_problem(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no window can open, in one phrase; None if one can."""
    if not sys.platform.startswith("linux"):
        return None
    if environment.get("QT_QPA_PLATFORM", "").split(":")[0] in WINDOWLESS_PLATFORMS:
        return None
    if environment.get("WAYLAND_DISPLAY"):
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        return "no display (DISPLAY and WAYLAND_DISPLAY are not set)"
    if not _answers(display):
        return f"no display answers at DISPLAY={display}"
    return None


def _answers(display: str) -> bool:
    """Return whether an X server listens where DISPLAY points to.

    Qt would abort the process if none did.
    """
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    try:
        if host in ("", "unix"):
            with socket.socket(socket.AF_UNIX) as local:
                local.settimeout(_CONNECT_SECONDS)
                local.connect(str(Path("/tmp/.X11-unix") / f"X{number}"))
        else:
            address = (host, 6000 + int(number))
            socket.create_connection(address, _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def missing_libraries() -> dict[str, str]:
    """Return the system libraries that a window needs and that are not here.

    Returns:
        Library -> the Debian package that holds it; empty off Linux.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return {
        lib: package for lib, package in SYSTEM_LIBRARIES.items() if not _loads(lib)
    }


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_line(missing: Mapping[str, str]) -> str:
    """Return the command that installs missing system libraries on Debian or Ubuntu."""
    return f"sudo apt-get install {' '.join(sorted(missing.values()))}"
