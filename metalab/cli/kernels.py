"""`metalab kernels`: compile the kernels ahead of the first run."""

from typing import Annotated

import typer


def kernels(
    precision: Annotated[
        list[str] | None,
        typer.Option(help="float32 or float64; both when left out."),
    ] = None,
) -> int:
    """Compile what runs are computed with, and keep it in the user's cache."""
    from metalab.runs.kernels import PRECISIONS, compile_here  # noqa: PLC0415 - slow

    for name in precision or PRECISIONS:
        compile_here(name)
    return 0
