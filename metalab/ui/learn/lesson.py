"""Lessons: an experiment with pages that lead through it. Read and written as TOML."""

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, StringConstraints, model_validator

from metalab.ui.learn.content import DATA, Content, WorkspaceName, read_content

LESSONS = DATA / "lessons"
"""Folder of the lessons that come with metalab."""

SUFFIX = ".lesson.toml"
"""End of the name of a lesson's file."""

GroupName = Literal[
    "tasks",
    "model",
    "meta",
    "inner",
    "hypergradient",
    "outer",
    "evaluation",
    "run",
    "diagnostics",
]
"""Groups of the experiment form."""

_MOST_PAGES = 500

_Text = Annotated[
    str, StringConstraints(min_length=1, max_length=50_000, strip_whitespace=True)
]
_Title = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)
]
_Step = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]


class LessonPage(Content):
    """One page of a lesson.

    Attributes:
        text: Markdown.
        workspace: What is shown beside it.
        outer_step: Outer step to go to; None stays.
        inner_step: Inner step to go to; None stays.
    """

    text: _Text
    workspace: WorkspaceName = "live"
    outer_step: _Step | None = None
    inner_step: _Step | None = None


class Bookmark(Content):
    """A place on the timeline.

    Attributes:
        step: Outer step.
        note: What there is to see.
    """

    step: _Step
    note: _Text


class Lesson(Content):
    """A guided way through an experiment.

    Attributes:
        title: What it is about.
        preset: Where the experiment starts.
        overrides: Dotted paths and values that differ from the preset.
        hidden_groups: Groups of the form that stay out of sight.
        pages: In reading order.
        bookmarks: Places on the timeline.
    """

    title: _Title
    preset: _Title
    overrides: dict[str, Any] = Field(default_factory=dict, max_length=200)
    hidden_groups: tuple[GroupName, ...] = ()
    pages: tuple[LessonPage, ...] = Field(min_length=1, max_length=_MOST_PAGES)
    bookmarks: tuple[Bookmark, ...] = Field(default=(), max_length=_MOST_PAGES)

    @model_validator(mode="after")
    def _hides_no_group_twice(self) -> Self:
        if len(set(self.hidden_groups)) != len(self.hidden_groups):
            raise ValueError("hidden_groups names a group twice; allowed: once")
        return self


def load_lesson(path: Path) -> Lesson:
    """Return the lesson of a file.

    Whether preset and overrides fit each other is found by `experiments.config_of`.

    Raises:
        ContentError: The file cannot be used; names field, value and what is allowed.
    """
    return read_content(path, Lesson)


def save_lesson(path: Path, lesson: Lesson) -> None:
    """Write a lesson; the file is either the old or the new one, never half.

    Raises:
        OSError: The file cannot be written.
    """
    content = lesson.model_dump(mode="json", exclude_none=True)
    text = tomli_w.dumps(content, multiline_strings=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def own_lessons() -> dict[str, Lesson]:
    """Return the lessons that come with metalab, by key, in the order to read them."""
    files = sorted(LESSONS.glob(f"*{SUFFIX}"))
    return {path.name.removesuffix(SUFFIX): load_lesson(path) for path in files}
