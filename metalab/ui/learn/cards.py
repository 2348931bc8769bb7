"""The cards of the first page: experiments that one click starts."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from metalab.ui.learn.content import DATA, Content, WorkspaceName, read_content

if TYPE_CHECKING:
    from metalab.engine.events import Array

THUMBNAILS = DATA / "thumbnails"
"""Folder of the arrays that `packaging/make_start_page.py` measures."""

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Role = Literal["after", "before", "evaluation", "support", "query", "truth"]


class CardLine(Content):
    """One line of a picture.

    Attributes:
        role: Its colour, by its role in the theme.
        label: What stands beside its end.
    """

    role: _Role
    label: _Text


class Drawing(Content):
    """How the picture of a card is painted.

    Attributes:
        kind: "adaptation": a task's support points, its true curve or else its query
            points, and the curve after each inner step. "lines": some quantity against
            another.
        lines: Of a picture of lines, in the order of the array `y`.
    """

    kind: Literal["adaptation", "lines"]
    lines: tuple[CardLine, ...] = ()

    @model_validator(mode="after")
    def _lines_where_there_are_some(self) -> Self:
        if bool(self.lines) != (self.kind == "lines"):
            raise ValueError(
                f"has {len(self.lines)} lines; allowed: some in kind lines, else none"
            )
        return self


class Card(Content):
    """An experiment to start with one click.

    Attributes:
        key: Identifies the card, and names its picture.
        title: What it is about.
        sentence: What there is to see.
        preset: Where the experiment starts.
        overrides: Dotted paths and values that differ from the preset.
        workspace: What is opened when it starts.
        drawing: How its picture is painted.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    title: _Text
    sentence: _Text
    preset: _Text
    workspace: WorkspaceName
    drawing: Drawing
    overrides: dict[str, Any] = Field(default_factory=dict)

    def thumbnail(self) -> "dict[str, Array]":
        """Return the arrays of the picture.

        For an adaptation: `grid` [point], `curves` [inner step, point], `support_x` and
        `support_y` [shot], and `truth` [point] or `query_x` and `query_y` [query]. For
        lines: `x` [point], `y` [line, point].

        Raises:
            FileNotFoundError: They have not been measured.
        """
        with np.load(THUMBNAILS / f"{self.key}.npz", allow_pickle=False) as arrays:
            return dict(arrays)


class Cards(Content):
    """All cards of a file."""

    cards: tuple[Card, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_key_is_once(self) -> Self:
        key, times = Counter(card.key for card in self.cards).most_common(1)[0]
        if times > 1:
            raise ValueError(f"key {key!r} is in two cards; allowed: in one")
        return self


def load_cards(path: Path = DATA / "cards.toml") -> tuple[Card, ...]:
    """Return the cards of a file.

    Raises:
        ContentError: The file cannot be used.
    """
    return read_content(path, Cards).cards


@cache
def all_cards() -> dict[str, Card]:
    """Return the cards that come with metalab, by key."""
    return {card.key: card for card in load_cards()}
