"""Outer steps that a person has marked, with notes; kept between starts."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StrictInt, StrictStr, TypeAdapter, ValidationError

from metalab.runs.home import config_home
from metalab.ui.kept_file import KeptFileError, copied_aside, read_kept, write_kept

if TYPE_CHECKING:
    from metalab.runs.history import RunHistory

_MOST_RUNS = 500
"""The oldest go first: a file of bookmarks is read whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A place in a run.

    Attributes:
        step: The outer step.
        inner_step: The inner step that was emphasised.
        note: What a person says of it; "" for nothing.
    """

    step: Annotated[StrictInt, Field(ge=0, le=10**9)]
    inner_step: Annotated[StrictInt, Field(ge=0, le=10**4)] = 0
    note: Annotated[StrictStr, Field(max_length=10_000)] = ""


_MARKS = TypeAdapter(list[Bookmark])


class Bookmarks:
    """The bookmarks of every run, in one small file.

    Attributes:
        warning: What could not be read of the file, and where it has been set aside; ""
            if all of it was understood.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read them, leaving out what is not understood.

        Args:
            path: The file; None takes that of this person.
        """
        self._path = config_home() / "bookmarks.json" if path is None else path
        self._runs: dict[str, list[Bookmark]] = {}
        self.warning = ""
        try:
            content = read_kept(self._path)
        except KeptFileError as error:
            self.warning = f"Bookmarks cannot be read: {error}. {error.aside}".strip()
            return
        self._runs = _understood(content)
        left_out = len(content) - len(self._runs)
        if left_out:
            where = copied_aside(self._path)
            self.warning = f"Bookmarks not understood, of runs: {left_out}. {where}"

    def of(self, history: "RunHistory") -> tuple[Bookmark, ...]:
        """Return a run's bookmarks, in order."""
        return tuple(self._runs.get(_key(history), ()))

    def toggle(self, history: "RunHistory", step: int, inner_step: int) -> None:
        """Set a bookmark, or remove the one that is there.

        Raises:
            OSError: It cannot be kept.
        """
        kept = list(self.of(history))
        others = [mark for mark in kept if mark.step != step]
        if len(others) == len(kept):
            others.append(Bookmark(step=step, inner_step=inner_step))
        self._keep(history, others)

    def set_note(self, history: "RunHistory", step: int, note: str) -> None:
        """Write a note at a step; a bookmark is set there if there is none.

        Raises:
            OSError: It cannot be kept.
        """
        marks = list(self.of(history))
        if all(mark.step != step for mark in marks):
            marks.append(Bookmark(step=step))
        self._keep(
            history,
            [replace(m, note=note) if m.step == step else m for m in marks],
        )

    def _keep(self, history: "RunHistory", marks: list[Bookmark]) -> None:
        key = _key(history)
        self._runs.pop(key, None)
        if marks:
            self._runs[key] = sorted(marks, key=_step)
        while len(self._runs) > _MOST_RUNS:
            self._runs.pop(next(iter(self._runs)))
        _write(self._path, self._runs)


def _step(mark: Bookmark) -> int:
    return mark.step


def _key(history: "RunHistory") -> str:
    """Return what tells a run: its file, or else its experiment."""
    return (
        str(history.path) if history.path is not None else history.config_at().digest()
    )


def _understood(content: dict[str, Any]) -> dict[str, list[Bookmark]]:
    runs: dict[str, list[Bookmark]] = {}
    for key, marks in content.items():
        try:
            runs[key] = _MARKS.validate_python(marks)
        except ValidationError:
            continue  # told by the one who counts them
    return runs


def _write(path: Path, runs: dict[str, list[Bookmark]]) -> None:
    content = {key: [asdict(mark) for mark in marks] for key, marks in runs.items()}
    write_kept(path, json.dumps(content, indent=1))
