"""Labels of a run: what a person says of it, kept as facts of its run file.

They travel with the file, and no index is needed to keep them. Imports no torch.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from metalab.core.errors import UserError

FACT = "labels"
"""Key of the fact of a run file that holds them, apart from the name."""

NAME_FACT = "name"

COLOURS = ("", "blue", "orange", "green", "yellow", "sky", "red", "purple", "grey")
"""Okabe and Ito's colours by name; "" for the colour that follows from the experiment."""

LONGEST_NAME = 200
LONGEST_NOTE = 4000
LONGEST_TAG = 40
MOST_TAGS = 50

_TAG = re.compile(r"[^\W_][\w.-]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_UNPRINTABLE_IN_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]+")

Colour = Literal[
    "", "blue", "orange", "green", "yellow", "sky", "red", "purple", "grey"
]


class LabelError(UserError):
    """A label that no run can have; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """A person's words about a run.

    Attributes:
        tags: In alphabetical order, each once.
        note: Text of some lines; "" for none.
        archived: Whether lists leave the run out unless they are asked for it.
        colour: One of `COLOURS`.
    """

    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """A change of labels: what it does not name stays as it is.

    Two people who change different labels of one run so lose nothing.

    Attributes:
        name: The run's new name.
        add_tags: Tags to add.
        remove_tags: Tags to take away; those that it does not have are no matter.
        note: The note in the place of the one before; "" removes it.
        archived: Whether it is archived.
        colour: One of `COLOURS`.
    """

    name: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    note: str | None = None
    archived: bool | None = None
    colour: str | None = None

    def checked(self) -> "LabelChange":
        """Return the change with its texts in their plain form.

        Raises:
            LabelError: A value is not allowed.
        """
        if self.colour is not None and self.colour not in COLOURS:
            allowed = ", ".join(COLOURS[1:])
            raise LabelError(f"colour is {self.colour!r}; allowed: {allowed} or none")
        return replace(
            self,
            name=None if self.name is None else checked_name(self.name),
            add_tags=checked_tags(self.add_tags),
            remove_tags=tuple(self.remove_tags),
            note=None if self.note is None else checked_note(self.note),
        )

    def on(self, labels: Labels) -> Labels:
        """Return labels with the change made, apart from the name.

        Raises:
            LabelError: The run would have too many tags.
        """
        tags = (set(labels.tags) - set(self.remove_tags)) | set(self.add_tags)
        if len(tags) > MOST_TAGS:
            raise LabelError(
                f"tags: {len(tags)} on one run; allowed: {MOST_TAGS} at most"
            )
        return Labels(
            tags=tuple(sorted(tags)),
            note=labels.note if self.note is None else self.note,
            archived=labels.archived if self.archived is None else self.archived,
            colour=labels.colour if self.colour is None else self.colour,
        )

    def then(self, later: "LabelChange") -> "LabelChange":
        """Return one change that does what this and a later one do."""
        added = (set(self.add_tags) - set(later.remove_tags)) | set(later.add_tags)
        removed = (set(self.remove_tags) - set(later.add_tags)) | set(later.remove_tags)
        return LabelChange(
            name=self.name if later.name is None else later.name,
            add_tags=tuple(sorted(added)),
            remove_tags=tuple(sorted(removed)),
            note=self.note if later.note is None else later.note,
            archived=self.archived if later.archived is None else later.archived,
            colour=self.colour if later.colour is None else later.colour,
        )

    def undoing(self, name: str, labels: Labels) -> "LabelChange":
        """Return the change that takes this one back.

        Args:
            name: The run's name before.
            labels: Its labels before.
        """
        return LabelChange(
            name=None if self.name is None else name,
            add_tags=tuple(tag for tag in self.remove_tags if tag in labels.tags),
            remove_tags=tuple(tag for tag in self.add_tags if tag not in labels.tags),
            note=None if self.note is None else labels.note,
            archived=None if self.archived is None else labels.archived,
            colour=None if self.colour is None else labels.colour,
        )


class StoredLabels(BaseModel):
    """The fact `labels` of a run file; see `Labels`."""

    # What a later version adds and this one does not use.
    model_config = ConfigDict(frozen=True, extra="ignore")

    tags: Annotated[
        tuple[Annotated[StrictStr, Field(max_length=LONGEST_TAG)], ...],
        Field(max_length=MOST_TAGS),
    ] = ()
    note: Annotated[StrictStr, Field(max_length=LONGEST_NOTE)] = ""
    archived: StrictBool = False
    colour: Colour = ""

    def labels(self) -> Labels:
        """Return them as a value; texts in their plain form."""
        known = [tag for tag in self.tags if _TAG.fullmatch(tag)]
        return Labels(
            tags=tuple(sorted(set(known))),
            note=_UNPRINTABLE_IN_TEXT.sub(" ", self.note),
            archived=self.archived,
            colour=self.colour,
        )


def as_fact(labels: Labels, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return labels as plain values, for the fact of a run file.

    Args:
        labels: The labels.
        before: The fact as it was: what a later version has added to it is kept.
    """
    return dict(before) | {
        "tags": list(labels.tags),
        "note": labels.note,
        "archived": labels.archived,
        "colour": labels.colour,
    }


def checked_name(text: str) -> str:
    """Return a name of a run as one line.

    Raises:
        LabelError: There is nothing of it, or it is too long.
    """
    name = " ".join(_UNPRINTABLE.sub(" ", text).split())
    if not name:
        raise LabelError(f"name is {text!r}; allowed: one line with a letter at least")
    if len(name) > LONGEST_NAME:
        raise LabelError(
            f"name has {len(name):,} characters; allowed: {LONGEST_NAME} at most"
        )
    return name


def checked_note(text: str) -> str:
    """Return a note without what cannot be shown.

    Raises:
        LabelError: It is too long.
    """
    note = _UNPRINTABLE_IN_TEXT.sub(" ", text).strip()
    if len(note) > LONGEST_NOTE:
        raise LabelError(
            f"note has {len(note):,} characters; allowed: {LONGEST_NOTE:,} at most"
        )
    return note


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags in lower case, in alphabetical order, each once.

    Raises:
        LabelError: One is not a word, or is too long.
    """
    found: set[str] = set()
    for text in tags:
        tag = text.strip().removeprefix("#").casefold()
        if not _TAG.fullmatch(tag) or len(tag) > LONGEST_TAG:
            raise LabelError(
                f"tag is {text!r}; allowed: a word of letters, digits, '.', '-' and "
                f"'_', {LONGEST_TAG} characters at most"
            )
        found.add(tag)
    return tuple(sorted(found))
