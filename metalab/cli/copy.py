"""`metalab copy`: a copy of a run that may still go on."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console, warn_if_lacking
from metalab.cli.target import Force, check_free


def copy(
    file: Annotated[Path, typer.Argument(help="Run file; its run may go on.")],
    to: Annotated[Path, typer.Argument(help="File to write.")],
    force: Force = False,
) -> int:
    """Write a run to another file, also while it goes on."""
    from metalab.runs.record.copies import save_copy  # noqa: PLC0415 - torch

    check_free((to,), force=force)
    warn_if_lacking(to, save_copy(file, to))
    console().print(f"Wrote {to}")
    return 0
