"""`metalab check`: does a file of one's own code hold what components owe?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from metalab.catalog.plugin_files import PluginError, look_at, name_files
from metalab.cli.output import console, delivered, print_json, warn
from metalab.core.paths import obstacle_to_read

FAILED = 1
"""Exit code where a check fails."""


def check(
    file: Annotated[Path, typer.Argument(help="Python file of components.")],
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Try what a file of your own code brings: shapes, derivatives, determinism, bounds.

    A verdict a line. Ends with 1 if anything fails.
    """
    obstacle = obstacle_to_read(file)
    if obstacle is not None:
        raise PluginError(f"{file} cannot be read: {obstacle}")
    try:
        plugin = look_at(file)
    except PluginError as error:
        warn(str(error))
        return FAILED
    name_files([file])
    from metalab.analysis.checks.file import check_file  # noqa: PLC0415 - torch
    from metalab.analysis.checks.verdict import Outcome  # noqa: PLC0415
    from metalab.figures.registry import figure_problems  # noqa: PLC0415

    output = console(json_output=json_output)
    verdicts = list(check_file(plugin.path, figure_problems()))
    failed = sum(verdict.outcome is Outcome.FAIL for verdict in verdicts)
    if json_output:
        rows = [
            {
                "component": verdict.component,
                "check": verdict.check,
                "outcome": verdict.outcome.value.lower(),
                "reason": verdict.reason,
            }
            for verdict in verdicts
        ]
        print_json({"file": str(plugin.path), "sha256": plugin.digest, "checks": rows})
        return FAILED if failed else delivered()
    table = Table(box=None, pad_edge=False)
    for heading in ("", "component", "check", "reason"):
        # A reason that is cut short helps nobody.
        table.add_column(heading, overflow="fold")
    for verdict in verdicts:
        table.add_row(
            verdict.outcome.value, verdict.component, verdict.check, verdict.reason
        )
    output.print(table)
    output.print(f"{plugin}: {len(verdicts)} checks, {failed} failed")
    return FAILED if failed else delivered()
