"""A report before it is written: headings, texts, tables and figures, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section.

    Attributes:
        text: Plain text.
        level: 2 for sections, 3 within one.
    """

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph.

    Attributes:
        text: Plain text.
        small: Whether it is a note.
    """

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of plain texts.

    Attributes:
        headings: Of the columns.
        rows: Cells, as many a row as there are headings.
        numbers: Columns that are aligned at their right.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its caption.

    Attributes:
        title: One line, also for readers that cannot see it.
        svg: The figure.
        caption: Sentences below it.
    """

    title: str
    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that are copied: commands, BibTeX."""

    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that a reader opens; printed, they stand open.

    Attributes:
        title: What is in it.
        blocks: Without further folds.
    """

    title: str
    blocks: "tuple[Block, ...]"


Block = Heading | Text | Grid | Picture | Code | Fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report.

    Attributes:
        title: One line.
        lead: A line below it.
        date: When its newest run began, ISO 8601 with its time zone.
        blocks: What it says, in order.
    """

    title: str
    lead: str
    date: str
    blocks: tuple[Block, ...]


def words_of(document: Document) -> str:
    """Return the texts of a report without tables and figures, for searches and tests."""
    lines = [document.title, document.lead]
    lines += _words(document.blocks)
    return "\n".join(lines)


def _words(blocks: Sequence[Block]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        match block:
            case Fold(title, inner):
                lines += [title, *_words(inner)]
            case Grid(headings, rows, _):
                lines += ["\t".join(cells) for cells in (headings, *rows)]
            case Picture(title, _, caption):
                lines += [title, caption]
            case Heading() | Text() | Code():
                lines.append(block.text)
    return lines
