"""Files that commands write: refused before anything is computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from metalab.core.errors import UserError
from metalab.core.paths import obstacle_to_replace, obstacle_to_write

Force = Annotated[bool, typer.Option(help="Replace what is there.")]
"""Of every command that writes a file of the person's choice."""


def check_free(paths: Iterable[Path], *, force: bool) -> None:
    """Refuse to replace what is there, unless that is wanted.

    Args:
        paths: All that will be written.
        force: Whether to replace what is there.

    Raises:
        UserError: Some are there; the message names them.
    """
    obstacle = obstacle_to_replace(paths, force=force)
    if obstacle is not None:
        raise UserError(obstacle)


def check_csv(path: Path, *, force: bool) -> None:
    """Refuse a table that cannot be written, or would take another file's place.

    Raises:
        UserError: Says why.
    """
    if path.suffix.lower() != ".csv":
        raise UserError(f"{path} ends in {path.suffix!r}; allowed: .csv")
    obstacle = obstacle_to_write(path)
    if obstacle is not None:
        raise UserError(f"{path} cannot be written: {obstacle}")
    check_free((path,), force=force)
