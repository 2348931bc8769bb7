"""`metalab resume`: go on with a run from its file."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metalab.cli.output import console, warn
from metalab.cli.wreck import DIVERGED, warn_of_wreck
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.engine.events import Diverged


def resume(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    num_steps: Annotated[
        int | None,
        typer.Option(min=1, help="Take the run on to this many outer steps."),
    ] = None,
    stop_at: Annotated[
        int | None, typer.Option(min=1, help="Stop and keep at this outer step.")
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="Go on with a run that diverged: losses may then grow a thousandfold "
            "further. Without this, such a run is refused with exit code 1.",
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Go on with a stopped, killed or finished run, bit for bit.

    JSON tells `num_steps_made_now` (by this command), `num_steps_made_in_all` and
    `num_steps_planned`. A run that diverged would explode again at the same step.
    """
    from metalab.cli.report import run_and_report  # noqa: PLC0415 - torch
    from metalab.experiment.plugins import origins  # noqa: PLC0415
    from metalab.runs.record.live import LiveRun  # noqa: PLC0415
    from metalab.runs.record.plugin_facts import changed_plugins  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.running.resume import prepare_resume  # noqa: PLC0415

    past = prepare_resume(file, num_steps=num_steps)
    told = "" if anyway else "It would again; --anyway lets its losses grow further."
    if warn_of_wreck(file, past, told) and not anyway:
        return DIVERGED
    if stop_at is not None and stop_at <= past.step:
        raise UserError(
            f"--stop-at is {stop_at:,}; allowed: above {past.step:,}, the outer step that "
            f"{file} stands at"
        )
    if past.diverged is not None:
        warn(_what_follows(past.diverged))
    if origins(past.next_config):
        # The environment is of the whole file; only such a run needs it.
        for told in changed_plugins(open_run(file).environment, past.next_config):
            warn(told)
    live = LiveRun(past.configs, path=file, past=past)
    return run_and_report(
        live,
        console=console(json_output=json_output),
        json_output=json_output,
        resuming=True,
        stop_at=stop_at,
    )


def _what_follows(diverged: "Diverged") -> str:
    """Return what going on anyway does, in words."""
    start = f"--anyway: goes on from outer step {diverged.last_good_step:,}"
    if not math.isfinite(diverged.value):
        return (
            f"{start}, makes step {diverged.step:,} again, and stops there again: what is "
            "not a finite number is never accepted. A smaller inner lr or outer lr in a "
            "new run helps"
        )
    return (
        f"{start} and lets losses grow a thousandfold further; past that it stops again"
    )
