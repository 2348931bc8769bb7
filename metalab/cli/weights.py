"""`metalab weights`: what a run has learned, as files that need no metalab."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.moment import Step, chosen_step
from metalab.cli.output import console
from metalab.cli.target import Force
from metalab.cli.wreck import warn_of_wreck


def weights(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    to: Annotated[Path, typer.Option(help="Folder to write to; it is made.")],
    step: Step = None,
    force: Force = False,
) -> int:
    """Write the meta-parameters and a program that adapts them with torch alone.

    weights.safetensors holds the tensors by name, weights.json what they are, and model.py
    an ordinary module of torch with adapt(x, y).
    """
    from metalab.runs.record.reader import open_run  # noqa: PLC0415 - torch
    from metalab.runs.services.weights import (  # noqa: PLC0415
        WEIGHTS_FILES,
        check_folder,
        export_weights,
    )

    which = chosen_step(step)
    check_folder(to, force=force)
    run = open_run(file)
    at = export_weights(run, to, which, force=force)
    warn_of_wreck(file, run.history)
    console().print(f"Wrote {', '.join(WEIGHTS_FILES)} to {to}, of outer step {at:,}")
    return 0
