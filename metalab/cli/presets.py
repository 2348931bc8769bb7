"""`metalab presets`: what can be run by name."""

from typing import Annotated

import typer
from rich.table import Table

from metalab.catalog.recipes import presets as all_presets
from metalab.cli.output import console, print_json


def presets(
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON array on stdout.")
    ] = False,
) -> int:
    """List the presets with their sources."""
    rows = [
        {"name": name, "title": preset.title, "source": preset.source}
        for name, (_, preset) in all_presets().items()
    ]
    if json_output:
        print_json(rows)
        return 0
    table = Table(show_lines=True)
    for heading in ("Name", "Title", "Source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["title"], row["source"])
    console().print(table)
    return 0
