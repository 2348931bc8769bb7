"""Tables and JSON of `metalab runs`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from metalab.cli.output import console
from metalab.runs.library.entry import Plain, RunEntry, Score, differing_fields
from metalab.runs.library.filter import created_at
from metalab.runs.library.naming import short_names
from metalab.runs.library.order import RunGroup, grouped

_FIELD_WIDTH = 15
"""Columns of the terminal for each setting beyond what the usual 80 hold."""

_USUAL_WIDTH = 80
_MOST_FIELDS = 6


def entry_facts(entry: RunEntry) -> dict[str, Any]:
    """Return a run as plain values, for JSON."""
    return {
        "file": str(entry.path),
        "name": entry.name,
        "state": entry.state,
        "method": entry.method,
        "preset": entry.preset,
        "seed": entry.seed,
        "step": entry.step,
        "num_steps": entry.num_steps,
        "best": _score_facts(entry.best),
        "last": _score_facts(entry.last),
        "steps_per_second": entry.steps_per_second,
        "seconds": entry.seconds,
        "created": entry.created,
        "group": entry.group,
        "tags": list(entry.labels.tags),
        "note": entry.labels.note,
        "archived": entry.labels.archived,
        "colour": entry.labels.colour,
        "waiting": entry.waiting,
        "problem": entry.problem,
        "config": dict(entry.config),
    }


def _score_facts(score: Score | None) -> dict[str, Any] | None:
    return None if score is None else asdict(score)


def group_facts(group: RunGroup) -> dict[str, Any]:
    """Return replicates as plain values, for JSON."""
    first = group.entries[0]
    return {
        "group": group.key,
        "name": first.name,
        "method": first.method,
        "seeds": [entry.seed for entry in group.entries],
        "files": [str(entry.path) for entry in group.entries],
        "best": group.best,
        "last": group.last,
        "deviation": group.deviation,
        "config": dict(first.config),
    }


def print_runs(
    shown: Sequence[RunEntry],
    every: Sequence[RunEntry],
    *,
    folder: Path,
    by_group: bool,
) -> None:
    """Print runs as a table.

    Args:
        shown: The runs, in their order.
        every: All runs of the library: an identifier tells one from all of them.
        folder: The library.
        by_group: Whether replicates are one row.
    """
    screen = console()
    if not shown:
        where = (
            f"No run in {folder} fits." if every else f"There are no runs in {folder}."
        )
        screen.print(where)
        return
    spare = max(0, (screen.width - _USUAL_WIDTH) // _FIELD_WIDTH)
    fields = differing_fields(shown)[: min(spare, _MOST_FIELDS)]
    table = (
        _group_table(shown, fields)
        if by_group
        else _run_table(shown, fields, every, screen.width)
    )
    screen.print(table, soft_wrap=False)
    screen.print(_summary(shown, every))


def _summary(shown: Sequence[RunEntry], every: Sequence[RunEntry]) -> str:
    count = f"{len(shown):,} of {len(every):,} run{'s' if len(every) != 1 else ''}"
    unreadable = [entry for entry in shown if entry.problem]
    lines = [count, *(entry.problem for entry in unreadable[:3])]
    if len(unreadable) > len(lines) - 1:
        lines.append(f"and {len(unreadable) - 3:,} more files that cannot be read")
    return "\n".join(lines)


def _table(columns: Sequence[tuple[str, bool]], fields: Sequence[str]) -> Table:
    """Return an empty table: headings, and whether they stand over numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, number in columns:
        table.add_column(
            heading,
            justify="right" if number else "left",
            overflow="fold",
            # Names and tags are broken: a narrow terminal has room for the rest.
            no_wrap=heading not in ("Name", "Tags"),
        )
    for path in fields:
        table.add_column(path.split(".")[-1], justify="right", overflow="fold")
    return table


_WITH_TIME = 100
"""Columns of the terminal from which there is room for the time of a run's beginning."""


def _run_table(
    shown: Sequence[RunEntry],
    fields: Sequence[str],
    every: Sequence[RunEntry],
    width: int,
) -> Table:
    short = short_names([entry.path for entry in every])
    columns: list[tuple[str, bool, Callable[[RunEntry], str]]] = [
        ("Run", False, lambda e: short[e.path]),
        ("Name", False, lambda e: e.name),
        ("State", False, lambda e: e.state),
        ("Seed", True, lambda e: _text(e.seed)),
        ("Step", True, lambda e: f"{e.step:,}"),
        ("Best", True, lambda e: _loss(e.best and e.best.loss)),
        ("Last", True, lambda e: _loss(e.last and e.last.loss)),
    ]
    if width >= _WITH_TIME:
        columns.append(("Created", True, _created))
    if any(entry.labels.tags for entry in shown):
        columns.append(("Tags", False, lambda e: " ".join(e.labels.tags)))
    table = _table([(heading, number) for heading, number, _ in columns], fields)
    for entry in shown:
        table.add_row(
            *(read(entry) for _, _, read in columns),
            *(_text(entry.config.get(path)) for path in fields),
        )
    return table


def _created(entry: RunEntry) -> str:
    created = created_at(entry)
    return "" if created is None else f"{created:%Y-%m-%d %H:%M}"


def _group_table(shown: Sequence[RunEntry], fields: Sequence[str]) -> Table:
    table = _table(
        (
            ("Name", False),
            ("Method", False),
            ("Seeds", True),
            ("Best", True),
            ("Last", True),
            ("SD", True),
        ),
        fields,
    )
    for group in grouped(shown):
        first = group.entries[0]
        table.add_row(
            first.name,
            first.method,
            str(len(group.entries)),
            _loss(group.best),
            _loss(group.last),
            _loss(group.deviation),
            *(_text(first.config.get(path)) for path in fields),
        )
    return table


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _text(value: Plain) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
