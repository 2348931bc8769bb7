"""A report as a PDF: text that can be searched and copied, figures as vectors."""

import io
import logging
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from metalab import __version__
from metalab.studies.reporting.document import (
    Block,
    Code,
    Document,
    Fold,
    Grid,
    Heading,
    Picture,
    Text,
)

_MARGIN = 18.0
"""Of an A4 page, in mm."""

_BODY, _SMALL, _LEAST = 9.5, 8.0, 5.5
"""Heights of text, in points; a wide table goes down to the least."""

_LINE = 1.35
"""Distance of lines, in heights of their text."""

_POINT = 25.4 / 72
"""In mm."""

_INK, _PALE, _RULE, _SHADE = 26, 95, 190, 245
"""Greys, from 0 (black) to 255."""

_SANS, _MONO = "sans", "mono"
_FILES = {
    (_SANS, ""): "DejaVuSans.ttf",
    (_SANS, "B"): "DejaVuSans-Bold.ttf",
    (_MONO, ""): "DejaVuSansMono.ttf",
}
"""Fonts that matplotlib brings along: the same on every machine, with Greek."""


class _Pages(FPDF):
    """A4 pages with their number at the foot.

    Attributes:
        running: What stands at the foot beside the number.
    """

    def __init__(self, running: str) -> None:
        super().__init__(format="A4")
        self.running = running

    def footer(self) -> None:
        """Write the foot of a page."""
        self.set_y(-12)
        self.set_font(_SANS, size=7)
        self.set_text_color(_PALE)
        half = self.epw / 2
        self.cell(half, 4, self.running)
        self.cell(half, 4, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(_INK)


def to_pdf(document: Document) -> bytes:
    """Return the file; equal reports are equal files."""
    with _quiet():
        pages = _Pages(_fitting(f"metalab {__version__}: {document.title}"))
        _prepare(pages, document)
        _line(pages, document.title, size=17, bold=True)
        _line(pages, document.lead, size=_BODY, grey=_PALE)
        pages.ln(2)
        numbers = iter(range(1, 1_000))
        for block in document.blocks:
            _block(pages, block, numbers)
        content = io.BytesIO()
        pages.output(content)
    return content.getvalue()


@contextmanager
def _quiet() -> Generator[None]:
    """Keep fpdf from telling what of an SVG or a font it leaves out."""
    loggers = [logging.getLogger(name) for name in ("fpdf", "fontTools")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _prepare(pages: _Pages, document: Document) -> None:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for (family, style), name in _FILES.items():
        pages.add_font(family, style, folder / name)
    pages.set_margins(_MARGIN, _MARGIN)
    pages.set_auto_page_break(auto=True, margin=_MARGIN)
    pages.set_title(document.title)
    pages.set_subject(document.lead)
    pages.set_creator(f"metalab {__version__}")
    pages.set_lang("en-GB")
    # Of the run: no clock, so equal reports are equal files.
    pages.set_creation_date(datetime.fromisoformat(document.date))
    pages.add_page()
    pages.set_text_color(_INK)


def _fitting(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _line(
    pages: _Pages,
    text: str,
    *,
    size: float,
    bold: bool = False,
    grey: int = _INK,
    family: str = _SANS,
) -> None:
    """Write a paragraph over the whole width."""
    pages.set_font(family, style="B" if bold else "", size=size)
    pages.set_text_color(grey)
    pages.multi_cell(
        0,
        _LINE * size * _POINT,
        text,
        align="L",
        new_x=XPos.LMARGIN,
        new_y=YPos.NEXT,
    )
    pages.set_text_color(_INK)


def _block(pages: _Pages, block: Block, numbers: Any) -> None:
    match block:
        case Heading(text, level):
            _heading(pages, text, level)
        case Text(text, small):
            grey = _PALE if small else _INK
            _line(pages, text, size=_SMALL if small else _BODY, grey=grey)
            pages.ln(1.5)
        case Grid():
            _table(pages, block)
        case Picture():
            _figure(pages, block, next(numbers))
        case Code(text):
            _code(pages, text)
        case Fold(title, blocks):
            _heading(pages, title, 3)
            for entry in blocks:
                _block(pages, entry, numbers)


def _heading(pages: _Pages, text: str, level: int) -> None:
    size = 12.5 if level == 2 else 10.5
    # Not alone at the end of a page.
    if pages.will_page_break(32 if level == 2 else 24):
        pages.add_page()
    pages.ln(4 if level == 2 else 2)
    pages.start_section(text, level=level - 2)
    _line(pages, text, size=size, bold=True)
    if level == 2:
        pages.set_draw_color(_RULE)
        pages.set_line_width(0.2)
        pages.line(
            pages.l_margin, pages.y + 0.5, pages.w - pages.r_margin, pages.y + 0.5
        )
    pages.ln(2)


def _code(pages: _Pages, text: str) -> None:
    size = 7.5
    pages.set_font(_MONO, size=size)
    pages.set_fill_color(_SHADE)
    pages.multi_cell(
        0,
        1.4 * size * _POINT,
        text,
        align="L",
        fill=True,
        padding=2,
        wrapmode=WrapMode.CHAR,
        new_x=XPos.LMARGIN,
        new_y=YPos.NEXT,
    )
    pages.set_fill_color(255)
    pages.ln(2)


def _figure(pages: _Pages, picture: Picture, number: int) -> None:
    width, height = _size_of(picture.svg)
    width, height = pages.epw, pages.epw * height / width
    if height > 110:
        width, height = width * 110 / height, 110.0
    if pages.will_page_break(height + 16):
        pages.add_page()
    body = re.sub(r"<(metadata|title)>.*?</\1>\s*", "", picture.svg, flags=re.DOTALL)
    left = pages.l_margin + (pages.epw - width) / 2
    pages.image(
        io.BytesIO(body.encode()), x=left, w=width, h=height, alt_text=picture.title
    )
    pages.set_xy(pages.l_margin, pages.y + 1)
    _line(pages, f"Figure {number}. {picture.caption}", size=_SMALL, grey=_PALE)
    pages.ln(3)


_SIZE = re.compile(r'<svg[^>]*\bviewBox="0 0 ([\d.]+) ([\d.]+)"')


def _size_of(svg: str) -> tuple[float, float]:
    found = _SIZE.search(svg)
    assert found is not None, "matplotlib writes a viewBox"
    return float(found[1]), float(found[2])


def _table(pages: _Pages, grid: Grid) -> None:
    """Write a table, its text as small as its widest row needs."""
    lines = [grid.headings, *grid.rows]
    size, widths = _columns(pages, lines)
    pages.set_font(_SANS, size=size)
    pages.set_draw_color(_RULE)
    align = ["RIGHT" if i in grid.numbers else "LEFT" for i in range(len(widths))]
    with pages.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=tuple(widths),
        width=min(sum(widths), pages.epw),
        align="LEFT",
        text_align=align,
        headings_style=FontFace(emphasis=TextEmphasis.B),
        line_height=_LINE * size * _POINT,
        padding=(0.5, 0.8),
        first_row_as_headings=True,
        wrapmode=WrapMode.WORD,
    ) as table:
        for cells in lines:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    pages.ln(2)


def _columns(
    pages: _Pages, lines: Sequence[Sequence[str]]
) -> tuple[float, list[float]]:
    """Return the height of a table's text and the widths of its columns, in mm.

    As large as fits on one line a row; where nothing fits, the widest columns wrap.
    """
    size = _SMALL
    while True:
        natural = _natural(pages, lines, size)
        if sum(natural) <= pages.epw or size <= _LEAST:
            break
        size -= 0.5
    over = sum(natural) - pages.epw
    if over <= 0:
        return size, natural
    # The longest word of a column is never broken where others have room to give.
    least = [
        min(width, word)
        for width, word in zip(natural, _longest_words(pages, lines), strict=True)
    ]
    room = [width - low for width, low in zip(natural, least, strict=True)]
    share = min(1.0, over / sum(room)) if sum(room) else 0.0
    shrunk = [w - share * r for w, r in zip(natural, room, strict=True)]
    scale = min(1.0, pages.epw / sum(shrunk))
    return size, [width * scale for width in shrunk]


def _natural(pages: _Pages, lines: Sequence[Sequence[str]], size: float) -> list[float]:
    return [
        max(_width(pages, cell, size, bold=row == 0) for row, cell in enumerate(column))
        for column in zip(*lines, strict=True)
    ]


def _longest_words(pages: _Pages, lines: Sequence[Sequence[str]]) -> list[float]:
    return [
        max(
            _width(pages, word, _LEAST, bold=row == 0)
            for row, cell in enumerate(column)
            for word in (cell.split() or [""])
        )
        for column in zip(*lines, strict=True)
    ]


def _width(pages: _Pages, text: str, size: float, *, bold: bool) -> float:
    pages.set_font(_SANS, style="B" if bold else "", size=size)
    return pages.get_string_width(text) + 2.6
