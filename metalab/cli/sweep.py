"""`metalab sweep`: many runs from one file, on every core or a cluster."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metalab.cli.executors import (
    Executor,
    cluster_executor,
    local_executor,
    num_cores,
)
from metalab.cli.output import console, delivered, print_json, warn
from metalab.cli.wreck import DIVERGED
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.runs.batch.batch import Outcome, PlannedRun
    from metalab.studies.search import Searched
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
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, tcp://HOST:8786: its workers carry the "
            "runs out; see `metalab worker`.",
        ),
    ] = None,
    plan_only: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Say what would be run and how long it takes, and run nothing.",
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Run every combination of a file's axes and seeds; the same command goes on.

    What is finished is not run again, and a run that was stopped goes on where it was.
    `metalab sweep new FILE` writes such a file. Then: metalab compare FOLDER.
    """
    from metalab.experiment.sweep_file import read_sweep  # noqa: PLC0415
    from metalab.runs.batch.folder import held_folder  # noqa: PLC0415
    from metalab.studies.files import prepare_folder  # noqa: PLC0415
    from metalab.studies.sweep import plan_of  # noqa: PLC0415

    if scheduler is not None and jobs is not None:
        raise UserError(
            f"--jobs is {jobs} beside --scheduler; allowed: one of them. On a cluster, "
            "as many runs go on at once as its workers have threads"
        )
    plan = plan_of(read_sweep(file), out)
    if plan.sweep.search is not None:
        from metalab.studies.search import space_of  # noqa: PLC0415

        # What is wrong with an axis is said before anything runs.
        space_of(plan.sweep)
    num_processes = jobs or num_cores()
    if plan_only:
        return _tell_plan(plan, num_processes, json_output=json_output)
    prepare_folder(plan.folder)
    with (
        held_folder(plan.folder),
        _executor(scheduler, num_processes, plan.sweep.num_runs) as executor,
    ):
        if plan.sweep.search is not None:
            return _search(plan, executor, json_output=json_output)
        return _run(plan, executor, json_output=json_output)


def _executor(
    scheduler: str | None, num_processes: int, num_runs: int
) -> AbstractContextManager[Executor]:
    if scheduler is None:
        return local_executor(num_processes=num_processes, num_runs=num_runs)
    return cluster_executor(scheduler, tell=warn)


def _run(plan: "SweepPlan", executor: Executor, *, json_output: bool) -> int:
    from metalab.cli.study_runs import run_planned  # noqa: PLC0415 - torch

    runs = plan.runs()
    outcomes = run_planned(runs, executor, retries=plan.sweep.retries)
    return _tell(plan, runs, outcomes, json_output=json_output)


def _search(plan: "SweepPlan", executor: Executor, *, json_output: bool) -> int:
    from metalab.cli.search_result import tell_search  # noqa: PLC0415
    from metalab.cli.study_runs import run_planned  # noqa: PLC0415 - torch
    from metalab.studies.search import search  # noqa: PLC0415

    def carry_out(runs: "list[PlannedRun]") -> "list[Outcome]":
        return run_planned(runs, executor, retries=plan.sweep.retries)

    found = search(plan.sweep, plan.folder, lambda runs: carry_out(list(runs)))
    tell_search(plan, found, json_output=json_output)
    return _exit_code(found)


def _exit_code(found: "Searched") -> int:
    from metalab.runs.batch.batch import Ending  # noqa: PLC0415

    if found.stopped:
        warn("stopped and saved; the same command goes on from there")
        return STOPPED
    delivered()
    failed = [o for o in found.outcomes.values() if o.ending is Ending.FAILED]
    return DIVERGED if failed else 0


def _tell_plan(plan: "SweepPlan", num_processes: int, *, json_output: bool) -> int:
    from metalab.experiment.naming import experiment_name  # noqa: PLC0415
    from metalab.studies.calibration import estimate_of  # noqa: PLC0415 - torch
    from metalab.studies.sweep import done_already  # noqa: PLC0415

    runs = plan.runs()
    there = done_already(runs)
    found = estimate_of(plan)
    if json_output:
        facts = [
            {"file": str(run.path), "seed": run.config.run.seed, **point.values}
            for run, point in zip(runs, plan.points, strict=True)
        ]
        print_json(
            {
                "folder": str(plan.folder),
                "runs": facts,
                "num_runs": plan.sweep.num_runs,
                "there": there,
                "seconds_on_one_process": found.seconds,
            }
        )
        return delivered()
    screen = console()
    for run in runs:
        name, seed = experiment_name(run.config), run.config.run.seed
        screen.print(f"{name}, seed {seed}: {run.path.name}", markup=False)
    takes = found.words(num_processes, plan.sweep.num_runs - there)
    if plan.sweep.search is None:
        screen.print(
            f"{len(runs):,} runs, {plan.num_steps:,} outer steps in all; "
            f"{there:,} run files are there already. What is left takes {takes}. "
            f"Folder: {plan.folder}",
        )
    else:
        screen.print(
            f"{plan.sweep.search.num:,} trials of {len(plan.sweep.seed_values):,} runs "
            f"each, at most; all of them take {takes}. Folder: {plan.folder}",
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
