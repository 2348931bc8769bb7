"""`metalab doctor`: what metalab finds on this computer."""

from typing import Annotated

import typer
from rich.table import Table

from metalab.cli.display import display_problem, install_line, missing_libraries
from metalab.cli.output import console, delivered, print_json

STOPS = 1
"""Exit code where something that was found stops work."""


def doctor(
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Show versions, device, display, folders, and what is missing or in the way.

    Ends with 1 where something stops work: runs, preferences or logs that cannot be kept,
    or libraries that a window on this display lacks.
    """
    from metalab.engine.build import available_devices  # noqa: PLC0415 - torch
    from metalab.experiment.plugins import plugin_problems  # noqa: PLC0415
    from metalab.figures.registry import figure_problems  # noqa: PLC0415
    from metalab.runs.system.environment import environment  # noqa: PLC0415
    from metalab.runs.system.home import config_home, data_home, home_problems  # noqa: PLC0415
    from metalab.runs.system.kernels import kernel_report  # noqa: PLC0415

    missing, display, blocked = missing_libraries(), display_problem(), home_problems()
    # Without a display nobody misses what a window needs.
    stops = bool(blocked) or (display is None and bool(missing))
    report = {
        **environment(),
        "devices": list(available_devices()),
        "kernels": kernel_report(),
        "display": display or "ok",
        "missing_libraries": sorted(missing),
        "install": install_line(missing) if missing else None,
        "data": str(data_home()),
        "preferences": str(config_home()),
        "problems": [*blocked, *plugin_problems(), *figure_problems()],
    }
    if json_output:
        print_json(report)
        return STOPS if stops else delivered()
    table = Table(show_header=False)
    table.add_column()
    # A path that is cut short helps nobody.
    table.add_column(overflow="fold")
    for key, value in report.items():
        between = "\n" if key == "problems" else ", "
        text = between.join(value) if isinstance(value, list) else str(value or "")
        table.add_row(key.replace("_", " "), text or "none")
    console().print(table)
    return STOPS if stops else delivered()
