"""The window as a program: from the command line to the exit code."""

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from metalab.catalog.plugin_files import named_files
from metalab.core.errors import UserError
from metalab.runs.system.faults import FaultLog
from metalab.runs.system.home import runs_problem
from metalab.runs.system.preload import Preload
from metalab.ui.shell.controller import Controller, WindowOptions
from metalab.ui.shell.crash_log import CrashLog
from metalab.ui.shell.errors import watch_errors
from metalab.ui.shell.os_signals import SignalWatch

QUIT_AFTER = "METALAB_QUIT_AFTER"
"""Environment variable: seconds after which the window closes by itself, unasked, as
SIGTERM would make it. For smoke tests of installed and bundled applications."""


def run_window(
    argv: Sequence[str] = (), *, preset: str | None = None, file: Path | None = None
) -> int:
    """Open the window and stay until it is closed.

    Args:
        argv: Options for Qt, without the program's name.
        preset: Preset in the form at first; None takes the last one, or the default.
        file: A run, a lesson or an experiment to open.

    Returns:
        The exit code.

    Raises:
        UserError: No preset has that name, or `METALAB_QUIT_AFTER` is no number.

    Thread: the main thread.
    """
    # With plug-ins, the presets are known once torch is here: the window then tells.
    if preset is not None and not named_files():
        _check_preset(preset)
    seconds = _quit_after()
    app = application(argv)
    faults = FaultLog()
    restore_hooks = watch_errors(faults)
    crash_log = CrashLog()
    crash_log.open(faults)
    problem = runs_problem()
    if problem is not None:
        faults.add(problem)
    lab = create_window(
        app,
        preset=preset,
        file=file,
        welcome=preset is None and file is None,
        faults=faults,
    )

    def end() -> None:
        lab.closer.close_unasked(lab.window)

    def leave() -> None:
        # Not quit: that would try to close the window again.
        app.exit(0)

    signals = SignalWatch(end)
    app.aboutToQuit.connect(lab.close)
    lab.window.closed.connect(leave)
    lab.start()
    if seconds is not None:
        QTimer.singleShot(round(1000 * seconds), lab.window, end)
    try:
        return app.exec()
    finally:
        lab.close()
        signals.close()
        crash_log.close()
        restore_hooks()


def application(argv: Sequence[str] = ()) -> QApplication:
    """Return the application object; make it if there is none."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["metalab", *argv])
    QCoreApplication.setApplicationName("metalab")
    app.setApplicationDisplayName("metalab")
    return app


def create_window(  # noqa: PLR0913 - how a window begins
    app: QApplication,
    *,
    preset: str | None = None,
    file: Path | None = None,
    keep_runs: bool = True,
    welcome: bool = False,
    faults: FaultLog | None = None,
    preload: Preload | None = None,
) -> Controller:
    """Return a window with everything behind it; `Controller.start` shows it.

    Installs nothing in the process: no signal handlers and no hooks.

    Args:
        app: The application.
        preset: Preset in the form at first; None takes the last one, or the default.
        file: A run, a lesson or an experiment to open.
        keep_runs: Whether runs are written to files.
        welcome: Whether the very first window begins with the Start page.
        faults: Where errors from any thread arrive.
        preload: What imports the engine.
    """
    options = WindowOptions(
        preset=preset,
        file=file,
        keep_runs=keep_runs,
        welcome=welcome,
        example=True,
    )
    return Controller(app, options, faults=faults, preload=preload)


def _check_preset(name: str) -> None:
    from metalab.catalog.recipes import preset_settings  # noqa: PLC0415 - slow

    try:
        preset_settings(name)
    except ValueError as error:
        raise UserError(str(error)) from error


def _quit_after() -> float | None:
    text = os.environ.get(QUIT_AFTER, "")
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError as error:
        raise UserError(f"{QUIT_AFTER} is {text!r}; allowed: seconds") from error
