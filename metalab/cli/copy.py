"""`metalab copy`: a copy of a run that may still go on."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console, warn_if_lacking


def copy(
    file: Annotated[Path, typer.Argument(help="Run file; its run may go on.")],
    to: Annotated[Path, typer.Argument(help="File to write.")],
    force: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
) -> int:
    """Write a run to another file, also while it goes on."""
    from metalab.core.paths import is_there  # noqa: PLC0415
    from metalab.runs.record.copies import save_copy  # noqa: PLC0415 - torch
    from metalab.runs.record.file_format import RunFileError  # noqa: PLC0415

    if is_there(to) and not force:
        raise RunFileError(f"{to} exists already; choose another name, or --force")
    warn_if_lacking(to, save_copy(file, to))
    console().print(f"Wrote {to}")
    return 0
