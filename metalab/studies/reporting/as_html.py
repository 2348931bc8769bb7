"""A report as one web page that holds its figures and fetches nothing."""

import html
import itertools
import re
from collections.abc import Iterator

from metalab.studies import page
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


def to_html(document: Document) -> str:
    """Return the page."""
    numbers = itertools.count(1)
    parts = [
        f"<h1>{html.escape(document.title)}</h1>",
        page.paragraph(document.lead, "lead"),
        *(_block(block, numbers) for block in document.blocks),
    ]
    return page.page(document.title, "\n".join(parts))


def _block(block: Block, numbers: Iterator[int]) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Text(text, small):
            return page.paragraph(text, "note" if small else "")
        case Grid(headings, rows, columns):
            return page.table(headings, rows, numbers=columns)
        case Picture():
            return _figure(block, next(numbers))
        case Code(text):
            return f"<pre>{html.escape(text)}</pre>"
        case Fold(title, blocks):
            inner = "\n".join(_block(entry, numbers) for entry in blocks)
            return (
                f"<details><summary>{html.escape(title)}</summary>\n{inner}\n</details>"
            )


def _figure(picture: Picture, number: int) -> str:
    return (
        f'<figure role="group" aria-label="{html.escape(picture.title, quote=True)}">\n'
        f"{inline_svg(picture.svg, f'f{number}-')}\n"
        f"<figcaption><b>Figure {number}.</b> {html.escape(picture.caption)}"
        "</figcaption>\n</figure>"
    )


_DEFINED = re.compile(r'\bid="([^"]+)"')
_USED = re.compile(r'(?:xlink:href="#|url\(#)([^")]+)')


def inline_svg(svg: str, prefix: str) -> str:
    """Return an SVG file's content for a page that holds others.

    Declaration and metadata go. Identifiers get a prefix: a page has each but once, and
    a browser would draw the glyphs of the first figure in all of them.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<title>.*?</title>\s*", "", body, flags=re.DOTALL)
    body = _DEFINED.sub(lambda found: f'id="{prefix}{found[1]}"', body)
    return _USED.sub(
        lambda found: f"{found[0][: -len(found[1])]}{prefix}{found[1]}", body
    )
