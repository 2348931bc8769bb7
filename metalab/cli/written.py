"""Points that a person has written to a file, for the commands that take some."""

from pathlib import Path
from typing import TYPE_CHECKING

from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.core.written_points import WrittenPoints

_MOST_BYTES = 4_000_000
"""Of a file of points: a million characters, in whatever encoding."""


def read_written(points: Path) -> "WrittenPoints":
    """Return the points of a file.

    Raises:
        UserError: It cannot be read, or holds something else.
    """
    from metalab.core.paths import obstacle_to_read  # noqa: PLC0415
    from metalab.core.written_points import read_points  # noqa: PLC0415
    from metalab.experiment.plain_data import PlainDataError, read_text  # noqa: PLC0415

    obstacle = obstacle_to_read(points)
    if obstacle is not None:
        raise UserError(f"{points} cannot be read: {obstacle}")
    try:
        return read_points(read_text(points, most_bytes=_MOST_BYTES))
    except OSError as error:
        raise UserError(f"{points} cannot be read: {error.strerror}") from error
    except PlainDataError as error:
        raise UserError(f"{points} {error}") from error
    except ValueError as error:
        raise UserError(f"{points}: {error}") from error
