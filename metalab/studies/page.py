"""Web pages of their own: one file, no script, nothing fetched, made to be printed."""

import html
from collections.abc import Sequence

STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 "Segoe UI",Roboto,"Noto Sans","DejaVu Sans",Arial,sans-serif;
color:#1a1a1a;background:#fff;max-width:60em;margin:2.5em auto;padding:0 1.5em}
h1{font-size:1.8em;line-height:1.2;margin:0 0 .2em}
h2{font-size:1.25em;margin:2em 0 .6em;padding-bottom:.2em;border-bottom:1px solid #ccc}
h3{font-size:1.05em;margin:1.4em 0 .4em}
p.lead{color:#555;margin:.2em 0 1em}
p.note,figcaption{color:#444;font-size:.87em}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.87em;margin:.6em 0;
font-variant-numeric:tabular-nums;border-top:1.5px solid #1a1a1a;
border-bottom:1.5px solid #1a1a1a}
th,td{padding:.3em .8em;text-align:left;vertical-align:top}
th{font-weight:600}
thead tr{border-bottom:1px solid #1a1a1a}
tbody tr+tr.part{border-top:1px solid #ccc}
td.number,th.number{text-align:right;white-space:nowrap}
td.key{color:#666;font-family:Consolas,"DejaVu Sans Mono",monospace;font-size:.92em}
figure{margin:1.2em 0}
figure svg,figure img{max-width:100%;height:auto}
pre{background:#f5f5f3;border:1px solid #ddd;border-radius:4px;padding:.8em 1em;
font:13px/1.45 Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere}
details{margin:.8em 0}
summary{cursor:pointer;font-weight:600}
@media print{
@page{margin:18mm 16mm}
body{font-size:10pt;max-width:none;margin:0;padding:0}
h2,h3{break-after:avoid}
figure,pre,tr{break-inside:avoid}
thead{display:table-header-group}
.wide{overflow:visible}
table{font-size:8pt}
th,td{padding:.2em .5em}
a{color:inherit;text-decoration:none}
}
"""


def page(title: str, body: str) -> str:
    """Return a whole page.

    Args:
        title: Plain text.
        body: What is on it, HTML.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain text, with a class of `STYLE` if wanted."""
    shape = f' class="{kind}"' if kind else ""
    return f"<p{shape}>{html.escape(text)}</p>"


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
) -> str:
    """Return a table of plain texts.

    Args:
        headings: Of the columns.
        rows: Cells, as many a row as there are headings.
        numbers: Columns that are aligned at their right.
    """

    def cell(tag: str, column: int, text: str) -> str:
        shape = ' class="number"' if column in numbers else ""
        return f"<{tag}{shape}>{html.escape(text)}</{tag}>"

    def line(tag: str, cells: Sequence[str]) -> str:
        inner = "".join(cell(tag, i, text) for i, text in enumerate(cells))
        return f"<tr>{inner}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return (
        f'<div class="wide"><table>\n<thead>{line("th", headings)}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )
