"""`metalab doctor`: what metalab finds on this computer."""

from typing import Annotated

import typer
from rich.table import Table

from metalab.cli.display import display_problem, install_line, missing_libraries
from metalab.cli.output import console, delivered, print_json


def doctor(
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Show versions, device, display, folders, and what is missing or in the way."""
    from metalab.engine.build import available_devices  # noqa: PLC0415 - torch
    from metalab.engine.plugins import plugin_problems  # noqa: PLC0415
    from metalab.runs.environment import environment  # noqa: PLC0415
    from metalab.runs.home import config_home, data_home, home_problems  # noqa: PLC0415
    from metalab.runs.kernels import kernel_report  # noqa: PLC0415

    missing = missing_libraries()
    report = {
        **environment(),
        "devices": list(available_devices()),
        "kernels": kernel_report(),
        "display": display_problem() or "ok",
        "missing_libraries": sorted(missing),
        "install": install_line(missing) if missing else None,
        "data": str(data_home()),
        "preferences": str(config_home()),
        "problems": [*home_problems(), *plugin_problems()],
    }
    if json_output:
        print_json(report)
        return delivered()
    table = Table(show_header=False)
    table.add_column()
    # A path that is cut short helps nobody.
    table.add_column(overflow="fold")
    for key, value in report.items():
        between = "\n" if key == "problems" else ", "
        text = between.join(value) if isinstance(value, list) else str(value or "")
        table.add_row(key.replace("_", " "), text or "none")
    console().print(table)
    return delivered()
