"""`metalab kernels`: compile the kernels ahead of the first run. Hidden."""

from typing import Annotated

import typer

from metalab.runs.kernels import compile_here


def kernels(
    precision: Annotated[
        list[str] | None,
        typer.Option(help="float32 or float64; both when left out."),
    ] = None,
) -> int:
    """Compile what runs are computed with, and keep it in the user's cache."""
    for name in precision or ["float32", "float64"]:
        compile_here(name)
    return 0
