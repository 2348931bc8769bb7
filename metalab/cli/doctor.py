"""`metalab doctor`: what metalab finds on this computer."""

from typing import Annotated

import typer
from rich.table import Table

from metalab.cli.display import display_problem, install_line, missing_libraries
from metalab.cli.output import console, print_json


def doctor(
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Show versions, device, display and missing system libraries."""
    from metalab.engine.build import available_devices  # noqa: PLC0415 - torch
    from metalab.runs.environment import environment  # noqa: PLC0415
    from metalab.runs.home import config_home, data_home  # noqa: PLC0415
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
    }
    if json_output:
        print_json(report)
        return 0
    table = Table(show_header=False)
    for key, value in report.items():
        text = ", ".join(value) if isinstance(value, list) else str(value or "none")
        table.add_row(key.replace("_", " "), text)
    console().print(table)
    return 0
