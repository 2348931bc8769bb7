"""`metalab kernels`: compile the kernels ahead of the first run."""

import os
from typing import Annotated

import typer

LOWEST_PRIORITY = 19


def kernels(
    precision: Annotated[
        list[str] | None,
        typer.Option(help="float32 or float64; both when left out."),
    ] = None,
    helped: Annotated[bool, typer.Option("--helped", hidden=True)] = False,
    idle: Annotated[bool, typer.Option("--idle", hidden=True)] = False,
) -> int:
    """Compile what runs are computed with, and keep it in the user's cache."""
    from metalab.runs.system import kernels as compiler  # noqa: PLC0415 - slow

    if idle and hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    for name in precision or compiler.PRECISIONS:
        if helped:
            compiler.help_compiling(name)
        else:
            compiler.compile_here(name)
    return 0
