"""`metalab worker`: processes of this computer for a Dask cluster."""

import threading
from typing import Annotated

import typer

from metalab.cli.output import delivered, warn


def worker(
    scheduler: Annotated[
        str, typer.Argument(help="Address of the scheduler: tcp://HOST:8786.")
    ],
    jobs: Annotated[
        int,
        typer.Option(min=1, max=1_000, help="Processes, each for one run at a time."),
    ] = 1,
) -> int:
    """Carry out runs for `metalab sweep FILE --scheduler`, until Ctrl+C.

    A process that dies is replaced; a scheduler that is gone is waited for. Plug-ins
    that runs need are named here too, by --plugin FILE.
    """
    from metalab.cli.executors import checked_address, need_distributed  # noqa: PLC0415
    from metalab.runs.system.signals import stop_on_signals  # noqa: PLC0415

    need_distributed()
    address = checked_address(scheduler)
    from metalab.runs.batch.worker import work_for  # noqa: PLC0415 - distributed

    ended = threading.Event()
    with stop_on_signals(ended.set):
        work_for(address, num_processes=jobs, tell=warn, ended=ended)
    return delivered()
