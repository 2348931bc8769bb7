"""`metalab` without a command: the window, or the default preset where none can open."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from metalab.cli.display import display_problem, install_line, missing_libraries
from metalab.cli.output import console, warn
from metalab.core.errors import UserError
from metalab.core.paths import (
    TABLE_SUFFIXES,
    is_there,
    obstacle_to_keep,
    obstacle_to_read,
)

OUT_FOLDER = "metalab-out"
USAGE_ERROR = 2


class ShowWindow(Protocol):
    """Opens the window and returns the exit code."""

    def __call__(self, preset: str | None, file: Path | None = None) -> int:
        """Open it with a preset, or with what a file holds."""
        ...


OPENED = (".metalab", ".toml", *TABLE_SUFFIXES)
"""Suffixes of what the window opens: runs, lessons, experiments and tables."""


def file_to_open(arguments: Sequence[str]) -> Path | None:
    """Return the file that is the whole command line; None if it is anything else."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return None
    path = Path(arguments[0])
    return path if path.suffix.lower() in OPENED else None


def open_window(
    show: ShowWindow, *, preset: str | None = None, file: Path | None = None
) -> int:
    """Open the window; without a display, train headless and export figures.

    Args:
        show: Opens the window; passed in, since the command line knows no Qt.
        preset: Preset to start with; None takes the last or the default one.
        file: A run, a lesson, an experiment or a table to open.

    Returns:
        The exit code.

    Raises:
        UserError: The file cannot be read, or there is no display to show it on.
    """
    if file is not None:
        obstacle = obstacle_to_read(file)
        if obstacle is not None:
            raise UserError(f"{file} cannot be read: {obstacle}")
    problem = display_problem()
    if problem is not None:
        if file is not None:
            raise UserError(f"{file} cannot be opened in a window: {problem}")
        warn(f"{problem}; training the preset without a window instead")
        return run_headless(preset)
    missing = missing_libraries()
    if missing:
        warn(
            f"the window needs {', '.join(sorted(missing))}; install with: "
            f"{install_line(missing)}"
        )
        return USAGE_ERROR
    return show(preset, file)


def run_headless(preset: str | None) -> int:
    """Train a preset with progress and export its figures to `./metalab-out`."""
    from metalab.cli.config_source import resolve_config  # noqa: PLC0415 - torch
    from metalab.cli.report import run_and_report  # noqa: PLC0415
    from metalab.figures.looking import Looking, sight_of  # noqa: PLC0415
    from metalab.figures.registry import figures  # noqa: PLC0415
    from metalab.figures.render import render  # noqa: PLC0415
    from metalab.figures.sights import Standpoint  # noqa: PLC0415
    from metalab.runs.record.live import LiveRun  # noqa: PLC0415
    from metalab.runs.services.snapshots import history_and_phi  # noqa: PLC0415
    from metalab.runs.system.home import new_run_path  # noqa: PLC0415

    config = resolve_config(None, preset=preset, assignments=[], seed=None)
    path = new_run_path(config)
    output = console()
    folder = _made(Path(OUT_FOLDER))
    code = run_and_report(LiveRun(config, path=path), console=output, json_output=False)
    if not is_there(path):
        # Stopped while its kernels were being compiled.
        return code
    history, phi = history_and_phi(path)
    where = Standpoint(history=history, phi=phi, step=history.step)
    for spec in figures().values():
        if spec.costly:
            output.print(
                f"{spec.title}: takes longer, so it is left out; draw it with: metalab "
                f"export {shlex.quote(str(path))} {spec.name} --to {spec.name}.pdf"
            )
            continue
        try:
            sight = sight_of(spec, where, Looking())
            for suffix in (".png", ".pdf"):
                # By the run, of which each has its own: none takes another's place.
                target = folder / f"{path.stem}-{spec.name}{suffix}"
                render(spec, sight, target, size="double")
                output.print(f"Figure: {target}")
        except UserError as problem:
            # Not every run measures what every figure shows.
            output.print(f"{spec.title}: left out, since {problem}")
    return code


def _made(folder: Path) -> Path:
    """Return a folder for figures, which is made if there is none.

    Raises:
        UserError: It cannot be; told before anything is trained.
    """
    folder = folder.absolute()
    obstacle = obstacle_to_keep(folder)
    if obstacle is not None:
        raise UserError(f"figures cannot be kept in {folder}: {obstacle}")
    folder.mkdir(exist_ok=True)
    return folder
