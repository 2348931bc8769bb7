"""Files that commands write: refused before anything is computed."""

from pathlib import Path

from metalab.core.errors import UserError
from metalab.core.paths import obstacle_to_replace, obstacle_to_write


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
    obstacle = obstacle_to_replace((path,), force=force)
    if obstacle is not None:
        raise UserError(obstacle)
