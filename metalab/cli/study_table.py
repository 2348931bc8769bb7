"""A study's result, and the list of studies, for people."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from metalab.cli.output import console, print_json
from metalab.studies.base import Study, StudyLine
from metalab.studies.plan import NUM_SEEDS, StudyPlan
from metalab.studies.report import ABSENT, Report, ReportedLine, commands
from metalab.studies.series import Ours


def print_studies(studies: Sequence[Study], *, json_output: bool) -> None:
    """List the studies with the outer steps that they make."""
    rows = [
        {
            "name": study.name,
            "title": study.title,
            "source": study.source,
            "methods": [method.name for method in study.methods],
            "outer_steps": study.outer_steps(num_seeds=NUM_SEEDS),
        }
        for study in studies
    ]
    if json_output:
        print_json(rows)
        return
    table = Table(show_lines=True)
    for heading in ("Name", "Title", "Source"):
        table.add_column(heading, overflow="fold")
    for heading in ("Methods", f"Outer steps, {NUM_SEEDS} seeds"):
        table.add_column(heading, justify="right")
    for study, row in zip(studies, rows, strict=True):
        steps = f"{row['outer_steps']:,}" if study.methods else "none: seconds"
        table.add_row(
            study.name, study.title, study.source, str(len(study.methods)), steps
        )
    console().print(table)


def print_report(report: Report, files: Sequence[Path], output: Console) -> None:
    """Print the table, the checks, what is missing, why ours differ, and commands."""
    study = report.plan.study
    _warn(report, output)
    output.print(_table(report))
    if study.missing:
        output.print(_missing(study))
    if report.checks:
        output.print(_checks(report))
    _list("Where ours may differ", study.differences, output)
    every = [line for lines in commands(report.plan).values() for line in lines]
    _list("Commands", every, output)
    _list("Files", [str(file) for file in files], output)
    _warn(report, output)


def _warn(report: Report, output: Console) -> None:
    for caution in report.cautions:
        output.print(caution, style="bold red")


def _list(heading: str, lines: Sequence[str], output: Console) -> None:
    output.print(f"\n{heading}:", style="bold")
    for line in lines:
        output.print(line)


def _table(report: Report) -> Table:
    plan = report.plan
    table = Table(
        show_lines=True,
        title=f"{plan.study.title}\n{plan.study.source}",
        caption=f"{plan.study.quantity}; ours: mean ± half its 95 % interval, {_over(plan)}; "
        "no interval of a mean where tasks exploded or inner steps are unstable",
    )
    for heading in ("Row", "Setting", "Paper"):
        table.add_column(heading, overflow="fold")
    for heading in ("Ours", "sd of seeds"):
        table.add_column(heading, justify="right")
    table.add_column("Verdict", overflow="fold")
    for entry in report.lines:
        ours = entry.ours
        table.add_row(
            entry.method,
            entry.line.setting,
            _paper(entry.line),
            "-" if ours is None else _ours(ours),
            "-" if ours is None else _deviation(ours),
            _verdict(entry),
        )
    return table


def _over(plan: StudyPlan) -> str:
    """Return what the intervals are over."""
    if plan.num_seeds == 1:
        return (
            "over the tasks of one network, which says nothing of other training seeds; "
            "IQM: mean of the middle half of the tasks"
        )
    return (
        f"over {plan.num_seeds} training seeds (Student's t of their means); IQM: mean of "
        "the middle half of the tasks, likewise"
    )


def _paper(line: StudyLine) -> str:
    return "no number known" if line.published is None else line.published.words()


def _ours(ours: Ours) -> str:
    """Return mean, interquartile mean, median and what exploded, a line each."""
    lines = [
        _with_interval(ours.mean, ours.low, ours.high),
        f"IQM {_with_interval(ours.iqm, ours.iqm_low, ours.iqm_high)}",
        f"median {ours.median:.3g}",
    ]
    if ours.num_exploded:
        lines.append(f"{ours.num_exploded:,} of {ours.num_values:,} exploded")
    return "\n".join(lines)


def _deviation(ours: Ours) -> str:
    return "-" if math.isnan(ours.seed_deviation) else f"{ours.seed_deviation:.2g}"


def _with_interval(value: float, low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return f"{value:.3g} ± none"
    return f"{value:.3g} ± {(high - low) / 2:.2g}"


def _verdict(entry: ReportedLine) -> str:
    line = entry.line
    if line.tolerance is None or entry.verdict == ABSENT:
        return entry.verdict
    low, high = line.tolerance
    name = f"{line.check} " if line.check else ""
    return f"{name}{entry.verdict} ({low:.3g} to {high:.3g})"


def _checks(report: Report) -> Table:
    table = Table(title="Checks")
    for heading in ("Check", "Claim", "Found", "Verdict"):
        table.add_column(heading, overflow="fold")
    for entry in report.checks:
        words = "-" if entry.finding is None else entry.finding.words
        table.add_row(entry.check.name, entry.check.claim, words, entry.verdict)
    return table


def _missing(study: Study) -> Table:
    table = Table(title="Published rows that are not run")
    for heading in ("Row", "Paper", "Why not"):
        table.add_column(heading, overflow="fold")
    for row in study.missing:
        paper = "no number known" if row.published is None else row.published.words()
        table.add_row(row.title, paper, row.reason)
    return table
