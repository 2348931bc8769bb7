"""Files that a study leaves in its folder besides the run files."""

from pathlib import Path

from metalab import __version__
from metalab.core.paths import obstacle_to_keep, replace_file
from metalab.figures.render import render, render_drawing
from metalab.figures.sizes import size_named
from metalab.runs.services.snapshots import load_history
from metalab.studies.base import Method, StudyError
from metalab.studies.report import Report, to_table
from metalab.studies.series import Results

SIZE = "double"
SUFFIXES = (".png", ".pdf", ".csv")


def prepare_folder(folder: Path) -> None:
    """Make the folder of a study.

    Raises:
        StudyError: It cannot be made.
    """
    folder = folder.absolute()
    obstacle = obstacle_to_keep(folder)
    if obstacle is not None:
        raise StudyError(f"cannot keep runs in {folder}: {obstacle}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            f"cannot make the folder {folder}: {error.strerror}"
        ) from error


def write_files(report: Report, results: Results, content: str) -> list[Path]:
    """Write the report, the table as CSV, and every figure with its data.

    A figure whose methods did not finish is left out.

    Args:
        report: The study's result.
        results: What was measured.
        content: The report as JSON.

    Returns:
        The files, the report first.

    Raises:
        FigureError: A figure cannot be written.
        StudyError: Another file cannot be written.
    """
    plan = report.plan
    texts = {"report.json": f"{content}\n", "report.csv": to_table(report).to_csv()}
    written = [_written(plan.folder / name, text) for name, text in texts.items()]
    for figure in plan.study.figures if results else ():
        drawing = figure.draw(plan.study, results, size_named(SIZE))
        for suffix in SUFFIXES:
            written += render_drawing(
                drawing,
                plan.folder / f"{figure.name}{suffix}",
                title=figure.title,
                origin=_origin(report),
                size=SIZE,
            )
    done = {method for method, _ in results}
    for name, kind in plan.study.run_figures:
        if name in done:
            written += _of_run(report, name, kind)
    return written


def _written(path: Path, text: str) -> Path:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}") from error
    return path


def _of_run(report: Report, name: str, kind: str) -> list[Path]:
    plan = report.plan
    method: Method = next(m for m in plan.study.methods if m.name == name)
    history = load_history(plan.run(method, plan.seeds[0]).path)
    return [
        path
        for suffix in SUFFIXES
        for path in render(
            kind, history, plan.folder / f"{name}-{kind}{suffix}", size=SIZE
        )
    ]


def _origin(report: Report) -> str:
    plan = report.plan
    text = f"metalab {__version__}, study {plan.study.name}, {plan.num_seeds} seeds"
    return text if plan.share == 1 else f"{text}, share {plan.share:g} of the protocol"
