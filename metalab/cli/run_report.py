"""`metalab report`: one document on a run, or on the comparison of several."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.compare import run_files
from metalab.cli.output import console
from metalab.cli.target import Force, check_free


def report(
    files: Annotated[
        list[Path],
        typer.Argument(help="Run files, or folders of run files."),
    ],
    to: Annotated[
        list[Path],
        typer.Option(help="Report to write: .html or .pdf. Repeatable."),
    ],
    force: Force = False,
    num_tasks: Annotated[
        int,
        typer.Option(
            min=5,
            help="Of several runs: held-out tasks; of a table, its own, at most so many.",
        ),
    ] = 600,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Of several runs: method that the others are compared with; by default "
            "the first."
        ),
    ] = None,
) -> int:
    """Write a report: configuration, figures, held-out losses, commands, BibTeX.

    Of one run, or of several beside each other on the same held-out tasks.
    """
    from metalab.studies.reporting.contents import report_on  # noqa: PLC0415 - torch
    from metalab.studies.reporting.write import (  # noqa: PLC0415
        check_report_path,
        write_report,
    )

    for path in to:
        check_report_path(path)
    check_free(to, force=force)
    screen = console()
    with screen.status("Reading") as status:
        document = report_on(
            run_files(files),
            reference=reference,
            num_tasks=num_tasks,
            tell=lambda text: status.update(f"{text[:1].upper()}{text[1:]}"),
        )
    for path in to:
        write_report(document, path)
        screen.print(f"Wrote {path}", markup=False)
    return 0
