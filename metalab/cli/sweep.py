"""`metalab sweep`: many runs from one file, on every core."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metalab.cli.output import console, delivered, print_json, warn
from metalab.cli.wreck import DIVERGED

if TYPE_CHECKING:
    from metalab.runs.batch.batch import Outcome, PlannedRun
    from metalab.studies.sweep import SweepPlan

STOPPED = 1
"""Exit code where a person stopped the sweep."""


def sweep(
    file: Annotated[Path, typer.Argument(help="Sweep file (TOML).")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of its run files; by default in the data folder."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000,
            help="Processes that run at once; by default, a core each.",
        ),
    ] = None,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Say what would be run, and run nothing.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Run every combination of a file's axes and seeds; the same command goes on.

    What is finished is not run again, and a run that was stopped goes on where it was.
    Then: metalab compare FOLDER.
    """
    from metalab.cli.study_runs import run_planned  # noqa: PLC0415 - torch
    from metalab.experiment.sweep_file import read_sweep  # noqa: PLC0415
    from metalab.studies.files import prepare_folder  # noqa: PLC0415
    from metalab.studies.sweep import (  # noqa: PLC0415
        done_already,
        held_folder,
        plan_of,
    )

    plan = plan_of(read_sweep(file), out)
    runs = plan.runs()
    if plan_only:
        return _tell_plan(plan, runs, done_already(runs), json_output=json_output)
    prepare_folder(plan.folder)
    with held_folder(plan.folder):
        outcomes = run_planned(runs, num_processes=jobs or _num_cores())
    return _tell(plan, runs, list(outcomes), json_output=json_output)


def _num_cores() -> int:
    """Return the cores that this process may use: a scheduler may give some of them."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tell_plan(
    plan: "SweepPlan", runs: "list[PlannedRun]", there: int, *, json_output: bool
) -> int:
    from metalab.experiment.naming import experiment_name  # noqa: PLC0415

    if json_output:
        facts = [
            {"file": str(run.path), "seed": run.config.run.seed, **point.values}
            for run, point in zip(runs, plan.points, strict=True)
        ]
        print_json({"folder": str(plan.folder), "runs": facts, "there": there})
        return delivered()
    screen = console()
    for run in runs:
        name, seed = experiment_name(run.config), run.config.run.seed
        screen.print(f"{name}, seed {seed}: {run.path.name}", markup=False)
    screen.print(
        f"{len(runs):,} runs, {plan.num_steps:,} outer steps in all; "
        f"{there:,} run files are there already. Folder: {plan.folder}",
        markup=False,
    )
    return delivered()


def _tell(
    plan: "SweepPlan",
    runs: "list[PlannedRun]",
    outcomes: "list[Outcome]",
    *,
    json_output: bool,
) -> int:
    from metalab.runs.batch.batch import Ending  # noqa: PLC0415

    ended = [outcome.ending for outcome in outcomes]
    counts = {ending.value: ended.count(ending) for ending in Ending}
    stopped = Ending.STOPPED in ended
    for run, outcome in zip(runs, outcomes, strict=True):
        if outcome.ending in (Ending.DIVERGED, Ending.FAILED):
            warn(f"{run.path}: {outcome.ending.value}: {outcome.message}")
    if json_output:
        facts = {
            "folder": str(plan.folder),
            "counts": counts,
            "files": [str(run.path) for run in runs],
        }
        print_json(facts)
    else:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        screen = console()
        screen.print(f"{len(runs):,} runs: {told}. Folder: {plan.folder}", markup=False)
        if not stopped:
            screen.print(f"Next: metalab compare {plan.folder}", markup=False)
    if stopped:
        warn("stopped and saved; the same command goes on from there")
        return STOPPED
    delivered()
    return DIVERGED if {Ending.DIVERGED, Ending.FAILED} & set(ended) else 0
