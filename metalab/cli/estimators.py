"""`metalab estimators`: every hypergradient estimator against the exact one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metalab.cli.moment import Step, chosen_step
from metalab.cli.output import console, delivered, print_json
from metalab.cli.status import told_status
from metalab.cli.target import Force, check_free
from metalab.cli.wreck import warn_of_wreck
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.analysis.estimator_selection import Selection
    from metalab.analysis.estimators import BlockResult, ComparisonPlan

MOST_INNER_STEPS = 1000


def estimators(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    step: Step = None,
    num_inner_steps: Annotated[
        str, typer.Option(help="Inner steps K, separated by commas.")
    ] = "1,5,10,20",
    num_tasks: Annotated[
        int | None,
        typer.Option(min=1, help="Tasks of a meta-batch; default: the run's."),
    ] = None,
    num_batches: Annotated[
        int, typer.Option(min=2, max=1000, help="Independent meta-batches.")
    ] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Fixes tasks and draws.")] = 0,
    names: Annotated[
        str | None,
        typer.Option(
            "--estimators",
            help="Which, separated by commas. Default: all that go with the run, but "
            "for those that go through more than 200 meta-parameters one by one.",
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            help="Strength of the anchor for estimators that need a regulariser."
        ),
    ] = 2.0,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change one setting of the experiment. Repeatable.",
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Figure to write: .pdf, .svg or .png.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Table to write: .csv.")] = None,
    force: Force = False,
) -> int:
    """Compare hypergradient estimators at some outer step of a run.

    The outer loss is the query loss after the last inner step. Estimators keep their
    default options, but for the run's own.
    """
    from metalab.analysis.estimators import ComparisonPlan, compare  # noqa: PLC0415 - torch

    steps = _numbers_of_steps(num_inner_steps)
    _check_targets(out, csv, force=force)
    origin, selection = _selected(file, step, names, strength, assignments or [])
    plan = ComparisonPlan(
        num_inner_steps=steps,
        num_tasks=num_tasks or origin["config"].outer.num_tasks,
        num_batches=num_batches,
        seed=seed,
    )
    with told_status("measuring") as tell:
        results = compare(selection, plan, tell=tell)
    facts = _facts(origin, plan, selection)
    if json_output:
        _print_as_json(facts, results)
    else:
        _print_for_people(facts, results)
    _write(results, out, csv, json_output=json_output)
    return delivered() if out is None and csv is None else 0


def _numbers_of_steps(text: str) -> tuple[int, ...]:
    try:
        found = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        found = ()
    if not found or not all(1 <= k <= MOST_INNER_STEPS for k in found):
        raise UserError(
            f"--num-inner-steps is {text!r}; allowed: whole numbers from 1 to "
            f"{MOST_INNER_STEPS:,}, separated by commas, such as 1,5,10"
        )
    return tuple(sorted(found))


def _check_targets(out: Path | None, csv: Path | None, *, force: bool) -> None:
    """Refuse what cannot be written before minutes have been spent on it."""
    if out is None and csv is None:
        return
    from metalab.figures.estimators import FORMATS, check_target  # noqa: PLC0415 - slow

    if out is not None:
        check_target(out, FORMATS)
    if csv is not None:
        check_target(csv, (".csv",))
    check_free((path for path in (out, csv) if path is not None), force=force)


def _selected(
    file: Path,
    step: str | None,
    names: str | None,
    strength: float,
    assignments: list[str],
) -> tuple[dict[str, Any], "Selection"]:
    """Return where the meta-parameters come from, and what is compared there."""
    from metalab.analysis.estimator_selection import select  # noqa: PLC0415
    from metalab.engine.build import DTYPES, resolve_device  # noqa: PLC0415 - torch
    from metalab.experiment.fields import parse_assignment, with_overrides  # noqa: PLC0415
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

    which = chosen_step(step)
    run = open_run(file)
    warn_of_wreck(file, run.history)
    state = state_at(run, which)
    changes = [parse_assignment(text) for text in assignments]
    config = with_overrides(run.history.config_at(state.step), changes)
    device = resolve_device(config)
    selection = select(
        config,
        state.phi,
        names=None if names is None else [name.strip() for name in names.split(",")],
        strength=strength,
        dtype=DTYPES[config.run.precision],
        device=device,
    )
    origin = {"config": config, "file": file, "step": state.step, "device": device}
    return origin, selection


def _facts(
    origin: dict[str, Any], plan: "ComparisonPlan", selection: "Selection"
) -> dict[str, Any]:
    from metalab.experiment.naming import experiment_name  # noqa: PLC0415 - torch

    config = origin["config"]
    return {
        "name": experiment_name(config),
        "file": str(origin["file"]),
        "step": origin["step"],
        "outer_loss": "final",
        "num_inner_steps": list(plan.num_inner_steps),
        "num_tasks": plan.num_tasks,
        "num_batches": plan.num_batches,
        "num_shots": config.tasks.num_shots,
        "num_queries": config.tasks.num_queries,
        "seed": plan.seed,
        "precision": config.run.precision,
        "device": str(origin["device"]),
        "left_out": list(selection.left_out),
    }


def _print_as_json(facts: dict[str, Any], results: "tuple[BlockResult, ...]") -> None:
    from metalab.cli.estimator_table import plain  # noqa: PLC0415 - torch

    print_json({**facts, "blocks": [plain(result) for result in results]})


def _print_for_people(
    facts: dict[str, Any], results: "tuple[BlockResult, ...]"
) -> None:
    from metalab.cli.estimator_table import (  # noqa: PLC0415 - torch
        WIDTH,
        notes_on,
        table_of,
    )

    screen = console()
    screen.width = max(WIDTH, screen.width)
    screen.print(
        f"{facts['name']}, outer step {facts['step']:,}: {facts['num_batches']} "
        f"meta-batches of {facts['num_tasks']:,} tasks, seed {facts['seed']}; estimates in "
        f"{facts['precision']} on {facts['device']}\n"
        "Cosine, rel. error: mean over meta-batches ± its standard error. Variance: trace of the "
        "covariance / squared norm of the mean.\n"
        "Target: the derivative it aims at, after K steps or at the inner solution.\n"
        "Grad., Prod.: gradients, and Hessian-vector or mixed products, of inner path "
        "and estimate.\n"
    )
    for result in results:
        screen.print(table_of(result))
        notes = notes_on(result)
        screen.print(f"{notes}\n" if notes else "")
    if facts["left_out"]:
        left_out = ",".join(facts["left_out"])
        screen.print(
            "Not measured, because their cost grows with the number of meta-parameters: "
            f"{left_out} (ask with --estimators {left_out})"
        )


def _write(
    results: "tuple[BlockResult, ...]",
    out: Path | None,
    csv: Path | None,
    *,
    json_output: bool,
) -> None:
    if out is None and csv is None:
        return
    from metalab.figures.estimators import render, write_csv  # noqa: PLC0415 - slow

    screen = console(json_output=json_output)
    if csv is not None:
        write_csv(results, csv)
        screen.print(f"Wrote {csv}")
    if out is not None:
        render(results, out)
        screen.print(f"Wrote {out}")
