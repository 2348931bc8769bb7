"""Bookmarks that metalab 0.6 and earlier kept beside a person's preferences.

Since then they live in the run's own file (`runs.record.bookmarks`). The old ones are shown with
their runs until one of them is changed: then all of them are in the file.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, TypeAdapter
from pydantic import ValidationError as Invalid

from metalab.runs.record.bookmarks import Bookmarks, with_mark, with_note
from metalab.runs.system.home import config_home
from metalab.ui.session.kept_file import KeptFileError, copied_aside, read_kept


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Annotated[StrictInt, Field(ge=0, le=10**9)]
    inner_step: Annotated[StrictInt, Field(ge=0, le=10**4)] = 0
    note: Annotated[StrictStr, Field(max_length=10_000)] = ""


_MARKS = TypeAdapter(list[_Kept])


class EarlierBookmarks:
    """The bookmarks of every run that metalab 0.6 and earlier kept. Never written.

    Attributes:
        warning: What could not be read of the file, and where it has been set aside; ""
            if all of it was understood.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read them, leaving out what is not understood.

        Args:
            path: The file; None takes that of this person.
        """
        where = config_home() / "bookmarks.json" if path is None else path
        self._runs: dict[str, Bookmarks] = {}
        self.warning = ""
        try:
            content = read_kept(where)
        except KeptFileError as error:
            self.warning = f"Bookmarks cannot be read: {error}. {error.aside}".strip()
            return
        self._runs = _understood(content)
        left_out = len(content) - len(self._runs)
        if left_out:
            aside = copied_aside(where)
            self.warning = f"Bookmarks not understood, of runs: {left_out}. {aside}"

    def of(self, path: Path) -> Bookmarks:
        """Return the bookmarks of the run of a file, in order."""
        return self._runs.get(str(path), ())


def _understood(content: dict[str, Any]) -> dict[str, Bookmarks]:
    runs: dict[str, Bookmarks] = {}
    for key, entries in content.items():
        try:
            kept = _MARKS.validate_python(entries)
        except Invalid:
            continue  # told by the one who counts them
        marks: Bookmarks = ()
        for entry in kept:
            marks = with_mark(marks, entry.step, entry.inner_step)
            marks = with_note(marks, entry.step, entry.note)
        runs[key] = marks
    return runs
