"""What a study leaves in its folder besides the run files."""

from pathlib import Path

from metalab import __version__
from metalab.figures.render import render, render_drawing
from metalab.figures.sizes import size_named
from metalab.runs.replay import load_history
from metalab.studies.base import Method, Results
from metalab.studies.report import Report, to_table

SIZE = "double"
SUFFIXES = (".png", ".pdf", ".csv")


def write_files(report: Report, results: Results) -> list[Path]:
    """Write the table as CSV, and every figure with its data.

    A figure whose methods did not finish is left out.

    Args:
        report: The study's result.
        results: What was measured.

    Returns:
        The files, the table first.

    Raises:
        FigureError: A file cannot be written.
        OSError: The table cannot be written.
    """
    plan = report.plan
    table = plan.folder / "table.csv"
    table.write_text(to_table(report).to_csv(), encoding="utf-8")
    written = [table]
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
