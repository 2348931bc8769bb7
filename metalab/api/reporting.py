"""Reports from scripts and notebooks."""

import os
from collections.abc import Sequence
from pathlib import Path

from metalab.api.run import Run
from metalab.api.threads import keeping_threads
from metalab.studies.reporting.contents import report_on
from metalab.studies.reporting.write import check_report_path, write_report


def report(
    runs: Sequence[Run | str | Path],
    path: str | os.PathLike[str],
    *,
    reference: str | None = None,
    num_tasks: int = 600,
) -> Path:
    """Write the report on a run, or on the comparison of several.

    Equal to `metalab report`.

    Args:
        runs: Runs, or their files.
        path: .html, one page that holds its figures, or .pdf. What is there is replaced.
        reference: Of several: the method that the others are compared with; None for the
            first.
        num_tasks: Of several: held-out tasks.

    Returns:
        The file.

    Raises:
        UserError: A run cannot be used, or the file cannot be written.

    Example:
        ml.report([a, b], "comparison.pdf")
    """
    target = Path(path)
    check_report_path(target)
    files = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    with keeping_threads():
        document = report_on(files, reference=reference, num_tasks=num_tasks)
    write_report(document, target)
    return target
