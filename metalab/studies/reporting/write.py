"""Reports as files: whole, or not at all."""

from pathlib import Path

from metalab.core.errors import UserError
from metalab.figures.render import check_target, replace_file
from metalab.studies.reporting.as_html import to_html
from metalab.studies.reporting.document import Document

SUFFIXES = (".html", ".pdf")


def check_report_path(path: Path) -> None:
    """Refuse a file that no report can be, before anything is measured.

    Raises:
        UserError: Its suffix is none of `SUFFIXES`, or it cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{path} ends in {path.suffix!r}; allowed: {', '.join(SUFFIXES)}"
        )
    check_target(path)


def write_report(document: Document, path: Path) -> None:
    """Write a report in the format of the path's suffix.

    Raises:
        UserError: Its suffix is none of `SUFFIXES`, or it cannot be written; what was
            there stays.
    """
    check_report_path(path)
    if path.suffix.lower() == ".html":
        content = to_html(document).encode()
    else:
        from metalab.studies.reporting.as_pdf import to_pdf  # noqa: PLC0415 - fpdf

        content = to_pdf(document)
    replace_file(path, content)
