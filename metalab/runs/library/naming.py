"""Short ways to say which run of a library is meant. Imports no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from metalab.core.errors import UserError
from metalab.runs.system.home import RUN_SUFFIX

_SHORTEST = 4
_MOST_NAMED = 5


def short_names(paths: Sequence[Path]) -> Mapping[Path, str]:
    """Return for each file the shortest end of its name that no other one has.

    Names of run files end in four random digits, so that these are enough mostly.
    """
    stems = {path: path.stem for path in paths}
    found: dict[Path, str] = {}
    length = _SHORTEST
    left = list(paths)
    while left:
        ends: dict[str, list[Path]] = {}
        for path in left:
            ends.setdefault(stems[path][-length:], []).append(path)
        taken = set(found.values())
        for end, mine in ends.items():
            whole = length >= max(len(stems[path]) for path in mine)
            if (len(mine) == 1 and end not in taken) or whole:
                found |= dict.fromkeys(mine, end)
        left = [path for path in left if path not in found]
        length += 1
    return found


def run_named(text: str, folder: Path, paths: Sequence[Path]) -> Path:
    """Return the run file that a person means.

    Args:
        text: A path, or a name in the folder, whole or its end.
        folder: The library.
        paths: Its run files.

    Raises:
        UserError: No run or several are meant.
    """
    given = Path(text)
    if given.name.endswith(RUN_SUFFIX):
        for path in (given, folder / given):
            if path.is_file():
                return path.absolute()
    exact = [path for path in paths if text == path.stem]
    fitting = exact or [path for path in paths if path.stem.endswith(text) and text]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise UserError(
            f"run is {text!r}; allowed: a run file, or the end of the name of one in "
            f"{folder}"
        )
    names = ", ".join(path.stem for path in fitting[:_MOST_NAMED])
    more = (
        f" and {len(fitting) - _MOST_NAMED} more" if len(fitting) > _MOST_NAMED else ""
    )
    raise UserError(f"run is {text!r}, which several files end in: {names}{more}")
