"""`metalab show`: every setting of an experiment, or what differs between two."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from metalab.cli.output import console, delivered, print_json

if TYPE_CHECKING:
    from metalab.cli.settings import Shown
    from metalab.experiment.changes import DifferenceRow


def show(
    experiment: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|RUN|TOML|CODE",
            help="A preset, run file, experiment file or share code.",
        ),
    ],
    diff: Annotated[
        str | None,
        typer.Option(
            metavar="OTHER", help="Print only what differs from this other one."
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Print the settings of an experiment, or how it differs from another."""
    from metalab.cli.settings import shown_experiment  # noqa: PLC0415 - torch

    mine = shown_experiment(experiment)
    if diff is None:
        return _print_one(mine, json_output=json_output)
    return _print_two(mine, shown_experiment(diff), json_output=json_output)


def _print_one(shown: "Shown", *, json_output: bool) -> int:
    from metalab.cli.settings import (  # noqa: PLC0415 - torch
        facts_of,
        print_settings,
    )

    if json_output:
        print_json(facts_of(shown))
    else:
        print_settings(shown)
    return delivered()


def _print_two(mine: "Shown", other: "Shown", *, json_output: bool) -> int:
    from metalab.cli.settings import difference_facts  # noqa: PLC0415 - torch
    from metalab.experiment.changes import difference_rows  # noqa: PLC0415 - torch

    if json_output:
        print_json(difference_facts(mine, other))
        return delivered()
    rows = difference_rows(mine.config, other.config)
    if not rows:
        console().print(f"{mine.name} and {other.name} have the same settings.")
        return delivered()
    console().print(_difference_table(mine, other, rows))
    return delivered()


def _difference_table(
    mine: "Shown", other: "Shown", rows: "list[DifferenceRow]"
) -> Table:
    count = len(rows)
    table = Table(
        title=f"{mine.name} and {other.name}: {count} setting"
        f"{'s differ' if count > 1 else ' differs'}"
    )
    for heading in ("Setting", "Key"):
        table.add_column(heading, overflow="fold")
    for heading in (mine.name, other.name):
        table.add_column(heading, overflow="fold", justify="right")
    table.add_column("Unit", overflow="fold")
    last = ""
    for row in rows:
        if row.title != last:
            table.add_section()
            table.add_row(row.title, style="bold")
            last = row.title
        table.add_row(row.label, row.key, row.ours, row.theirs, row.unit)
    return table
