"""A comparison in words: the cells of its tables, and what stands below them."""

import math

from metalab.engine.statistics import Interval
from metalab.experiment.changes import SettingRow
from metalab.figures.drawing import number_of
from metalab.studies.comparison import Comparison, Difference, Group

HEADINGS = (
    "Method",
    "Seeds",
    "Diverged",
    "Failed",
    "Mean",
    "Interquartile mean",
    "Median",
    "Best seed",
    "Steps to threshold",
    "Area under curve",
    "Difference",
    "p",
)
NUMBERS = tuple(range(1, len(HEADINGS)))
"""Columns of numbers."""


def rows_of(found: Comparison) -> list[tuple[str, ...]]:
    """Return a row a method, in the order of `HEADINGS`."""
    of = {difference.one: difference for difference in found.differences}
    return [_row(found, group, of.get(group.title)) for group in found.groups]


def _row(
    found: Comparison, group: Group, difference: Difference | None
) -> tuple[str, ...]:
    return (
        group.title,
        str(len(group.measured)),
        str(group.num_diverged),
        str(group.num_failed),
        interval_text(group.mean()),
        interval_text(group.interquartile_mean()),
        _number(group.median()),
        _number(group.best()),
        group.time_to(found.threshold).words,
        interval_text(group.area(found.end)),
        "" if difference is None else interval_text(difference.interval),
        "" if difference is None else p_text(difference.p_holm),
    )


def interval_text(interval: Interval) -> str:
    """Return a number with the ends of its interval: "0.35 [0.31, 0.40]"."""
    value = _number(interval.value)
    if not interval.given:
        return value
    return f"{value} [{_number(interval.low)}, {_number(interval.high)}]"


def p_text(p: float) -> str:
    """Return a p value as papers print them."""
    if math.isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


def note_on(found: Comparison) -> str:
    """Return what the numbers are, as a sentence or two below a table."""
    over = f"{number_of(found.num_tasks, 'held-out task')}, the same for every run"
    seeds = "In brackets: 95 % interval over training seeds and tasks"
    if any(len(group.measured) == 1 for group in found.groups):
        seeds += "; of a method with one seed, over tasks alone"
    unit = "" if found.unit == "1" else f" in {found.unit}"
    note = f"Query loss{unit} after adaptation to {over}. {seeds}."
    if found.differences:
        first = found.differences[0]
        tests = " and ".join(dict.fromkeys(d.test for d in found.differences))
        note += (
            f" Difference: to {first.reference}, on the same tasks"
            f"{' and seeds' if first.paired else ''}; p: {tests}, Holm's correction."
        )
    return " ".join([note, *_on_curves(found), *_on_runs(found)])


def _on_curves(found: Comparison) -> list[str]:
    """Return how the numbers of learning curves are defined."""
    told: list[str] = []
    own = "the run's own held-out loss, after K inner steps,"
    if not math.isnan(found.threshold):
        told.append(
            f"Steps to threshold: outer steps until {own} first is at or below "
            f"{_number(found.threshold)}; the median over seeds (Kaplan-Meier), with how "
            "many reached it: a run that did not is counted as longer than it went on, "
            "one that diverged as never."
        )
    if found.end:
        told.append(
            f"Area under curve: {own} by the trapezoidal rule up to outer step "
            f"{found.end:,}, divided by that length; 95 % interval over seeds."
        )
    return told


def _on_runs(found: Comparison) -> list[str]:
    """Return what became of the runs that count in no mean, or were not finished."""
    diverged = sum(group.num_diverged for group in found.groups)
    failed = sum(group.num_failed for group in found.groups)
    runs = [run for group in found.groups for run in group.runs]
    unfinished = sum(run.unfinished for run in runs)
    told: list[str] = []
    if diverged:
        verb = "counts" if diverged == 1 else "count"
        told.append(f"{number_of(diverged, 'run')} diverged and {verb} in no mean.")
    if failed:
        verb = "counts" if failed == 1 else "count"
        told.append(f"{number_of(failed, 'run')} failed and {verb} in no mean.")
    if unfinished:
        told.append(
            f"{number_of(unfinished, 'run')} stopped before the planned last step, and "
            "counts as it is."
            if unfinished == 1
            else f"{number_of(unfinished, 'run')} stopped before the planned last step, "
            "and count as they are."
        )
    return told


def setting_headings(found: Comparison) -> tuple[str, ...]:
    """Return the headings of the table of settings: a column a method."""
    return ("Setting", *(group.title for group in found.groups))


def setting_rows(found: Comparison) -> list[tuple[str, ...]]:
    """Return a row a setting in which the methods differ."""
    return [(_setting(row), *row.values) for row in found.settings()]


def _setting(row: SettingRow) -> str:
    unit = f" ({row.unit})" if row.unit else ""
    return f"{row.title}: {row.label}{unit}"
