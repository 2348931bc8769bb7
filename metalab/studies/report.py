"""A study's numbers beside the published ones, and what follows from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from metalab import __version__
from metalab.figures.table import Column, Table
from metalab.studies.base import Check, Finding, Published, StudyLine
from metalab.studies.plan import (
    StudyPlan,
    eval_command,
    reproduce_command,
    train_command,
)
from metalab.studies.series import Ours, Results, ours_at

HOLDS, DIFFERS, SHOWN, ABSENT = "holds", "differs", "shown", "no number"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLine:
    """A row of the table, with our number.

    Attributes:
        line: The row.
        method: Its method, as tables write it.
        ours: Our number; None where a run of the method did not finish.
        verdict: One of HOLDS, DIFFERS, SHOWN (no tolerance) and ABSENT.
    """

    line: StudyLine
    method: str
    ours: Ours | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCheck:
    """A check, with its outcome.

    Attributes:
        check: The check.
        finding: What was found; None where a run that it needs did not finish.
    """

    check: Check
    finding: Finding | None

    @property
    def verdict(self) -> str:
        """One of HOLDS, DIFFERS and ABSENT."""
        if self.finding is None:
            return ABSENT
        return HOLDS if self.finding.holds else DIFFERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a study.

    Attributes:
        plan: What was run.
        lines: The table.
        checks: Statements about several numbers.
        problems: What did not finish, one sentence each.
    """

    plan: StudyPlan
    lines: tuple[ReportedLine, ...]
    checks: tuple[ReportedCheck, ...]
    problems: tuple[str, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """What keeps the numbers from being the protocol's, one sentence each."""
        found = list(self.problems)
        if self.plan.share < 1:
            found.insert(
                0,
                f"NOT THE PROTOCOL: every run made only {self.plan.share:g} of its outer "
                f"steps (--share), so the verdicts say nothing about the paper.",
            )
        return tuple(found)


def make_report(plan: StudyPlan, results: Results, problems: tuple[str, ...]) -> Report:
    """Return our numbers beside the published ones.

    Args:
        plan: What was run.
        results: What was measured; methods that did not finish are left out.
        problems: What did not finish.
    """
    return Report(
        plan=plan,
        lines=tuple(_reported(plan, line, results) for line in plan.study.lines),
        checks=tuple(_judged(check, results) for check in plan.study.checks),
        problems=problems,
    )


def _reported(plan: StudyPlan, line: StudyLine, results: Results) -> ReportedLine:
    method = plan.study.title_of(line.method)
    if line.key not in results:
        return ReportedLine(line=line, method=method, ours=None, verdict=ABSENT)
    ours = ours_at(results[line.key], line.at)
    verdict = SHOWN
    if line.tolerance is not None:
        low, high = line.tolerance
        verdict = HOLDS if low <= ours.mean <= high else DIFFERS
    return ReportedLine(line=line, method=method, ours=ours, verdict=verdict)


def _judged(check: Check, results: Results) -> ReportedCheck:
    if any(key not in results for key in check.needs):
        return ReportedCheck(check=check, finding=None)
    return ReportedCheck(check=check, finding=check.judge(results))


def commands(plan: StudyPlan) -> Mapping[str, list[str]]:
    """Return the exact commands: of the study, and of each method for every seed."""
    return {
        "study": [reproduce_command(plan)],
        **{
            method.name: [
                *[train_command(plan, method, seed) for seed in plan.seeds],
                *[
                    eval_command(plan, method, protocol, seed)
                    for seed in plan.seeds
                    for protocol in method.protocols
                ],
            ]
            for method in plan.study.methods
        },
    }


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values."""
    plan, study = report.plan, report.plan.study
    return {
        "metalab": __version__,
        "study": study.name,
        "title": study.title,
        "source": study.source,
        "quantity": study.quantity,
        "seeds": list(plan.seeds),
        "share": plan.share,
        "is_protocol": plan.share == 1,
        "cautions": list(report.cautions),
        "lines": [_line_json(reported) for reported in report.lines],
        "checks": [
            {
                "name": entry.check.name,
                "claim": entry.check.claim,
                "verdict": entry.verdict,
                "found": None if entry.finding is None else entry.finding.words,
            }
            for entry in report.checks
        ],
        "missing": [
            {
                "title": row.title,
                "published": _published_json(row.published),
                "reason": row.reason,
            }
            for row in study.missing
        ],
        "differences": list(study.differences),
        "commands": dict(commands(plan)),
        "folder": str(plan.folder),
    }


def _line_json(reported: ReportedLine) -> dict[str, Any]:
    line = reported.line
    return {
        "method": line.method,
        "title": reported.method,
        "protocol": line.protocol,
        "at": line.at,
        "setting": line.setting,
        "published": _published_json(line.published),
        "ours": None if reported.ours is None else asdict(reported.ours),
        "tolerance": line.tolerance,
        "check": line.check or None,
        "verdict": reported.verdict,
    }


def _published_json(published: Published | None) -> dict[str, Any] | None:
    if published is None:
        return None
    return {
        "low": published.low,
        "high": published.high,
        "half_width": published.half_width,
        "grade": published.grade.value,
    }


def to_table(report: Report) -> Table:
    """Return the rows as the columns of a CSV file; an empty cell has no value."""
    lines = report.lines
    words = {
        "method": [entry.method for entry in lines],
        "setting": [entry.line.setting for entry in lines],
        "grade": [
            "" if (paper := entry.line.published) is None else paper.grade.value
            for entry in lines
        ],
        "interval_over": [
            "" if (ours := entry.ours) is None else ours.interval_over.value
            for entry in lines
        ],
        "check": [entry.line.check for entry in lines],
        "verdict": [entry.verdict for entry in lines],
    }
    numbers = np.array([_numbers(entry) for entry in lines])
    return Table(
        (
            *(Column(name, np.array(values)) for name, values in words.items()),
            *(Column(name, numbers[:, i]) for i, name in enumerate(NUMBERS)),
        )
    )


_OURS = (
    *("mean", "low", "high", "half_width", "seed_deviation", "num_seeds"),
    *("num_values", "iqm", "iqm_low", "iqm_high", "median", "num_exploded"),
    "num_rising",
)
"""Of our numbers."""

NUMBERS = (
    *("published_low", "published_high", "published_half_width"),
    *_OURS,
    *("tolerance_low", "tolerance_high"),
)
"""Numeric columns of the table, in order."""


def _numbers(entry: ReportedLine) -> tuple[float, ...]:
    """Return the values of `NUMBERS` in one row; NaN where there is none."""
    paper, ours = entry.line.published, entry.ours
    published = (np.nan,) * 3
    if paper is not None:
        published = (paper.low, paper.high, paper.half_width)
    found: tuple[float, ...] = (np.nan,) * len(_OURS)
    if ours is not None:
        found = tuple(getattr(ours, name) for name in _OURS)
    return (*published, *found, *(entry.line.tolerance or (np.nan, np.nan)))
