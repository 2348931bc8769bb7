"""`metalab eval`: post-adaptation loss on fresh tasks."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metalab.cli.moment import OtherTasks, Step, chosen_step, parsed
from metalab.cli.output import console, delivered, print_json
from metalab.cli.wreck import DIVERGED, divergence_of, warn_of_wreck

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory


class QueryInputs(StrEnum):
    """The words of `core.tasks.QUERY_INPUTS`, which this module must not load yet."""

    RANDOM = "random"
    GRID = "grid"


class QueryTargets(StrEnum):
    """The words of `core.tasks.QUERY_TARGETS`."""

    NOISY = "noisy"
    NOISE_FREE = "noise-free"


class Subset(StrEnum):
    """The words of `core.tasks.SUBSETS` for tasks that were not trained on."""

    HELD_OUT = "held-out"
    VALIDATION = "validation"


def evaluate(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    num_tasks: Annotated[
        int,
        typer.Option(
            min=2, help="Fresh tasks; of a table, its held-out tasks, at most so many."
        ),
    ] = 600,
    num_inner_steps: Annotated[
        int, typer.Option(min=0, max=10_000, help="Inner steps K'.")
    ] = 10,
    inner_lr: Annotated[
        float | None,
        typer.Option(help="Step size of the inner loop; by default that of the run."),
    ] = None,
    num_shots: Annotated[
        int | None,
        typer.Option(
            min=1, help="Support points; by default as in the run's evaluation."
        ),
    ] = None,
    num_queries: Annotated[int, typer.Option(min=1, help="Query points.")] = 100,
    query_inputs: Annotated[
        QueryInputs, typer.Option(help="Query inputs: drawn, or an even grid.")
    ] = QueryInputs.RANDOM,
    query_targets: Annotated[
        QueryTargets,
        typer.Option(help="Query targets: like the support set's, or true."),
    ] = QueryTargets.NOISY,
    subset: Annotated[
        Subset, typer.Option(help="Tasks of a table: held-out, or validation.")
    ] = Subset.HELD_OUT,
    num_draws: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Support sets of each task, whose losses are averaged; by default 20 of "
            "a table, and 1 of a generator, which has other tasks each time.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes the fresh tasks.")] = 0,
    step: Step = None,
    assignments: OtherTasks = None,
    last_good: Annotated[
        bool,
        typer.Option(
            "--last-good",
            help="Of a run that diverged, measure the last good state; without this or "
            "--step, such a run is refused with exit code 1.",
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Measure the query loss of fresh tasks after 0 ... K' inner steps.

    Mean, interquartile mean and median over tasks, each with its 95 % interval, and the
    tasks that exploded. Intervals are of this network: other seeds give others.
    """
    from metalab.analysis.evaluate import (  # noqa: PLC0415 - torch
        evaluate_draws,
        num_draws_of,
    )
    from metalab.analysis.step_size import at_inner_lr, chosen_inner_lr  # noqa: PLC0415
    from metalab.cli.summary_table import (  # noqa: PLC0415
        WIDTH,
        notes_on,
        plain_summary,
        summary_table,
    )
    from metalab.core.tasks import QueryKind  # noqa: PLC0415
    from metalab.engine.build import build_family  # noqa: PLC0415
    from metalab.engine.other_tasks import (  # noqa: PLC0415
        changed_tasks,
        on_other_tasks,
    )
    from metalab.runs.record.reader import open_run  # noqa: PLC0415
    from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

    which, changes = chosen_step(step), parsed(assignments)
    run = open_run(file)
    facts = {
        "name": run.history.name,
        "file": str(file),
        "step": run.newest_state().step,
        "chosen": "newest" if step is None else step,
        "status": run.history.status.value,
        "diverged": divergence_of(run.history),
    }
    asked = last_good or which is not None
    asks = "" if asked else "--last-good measures that state."
    wrecked = warn_of_wreck(file, run.history, asks)
    if wrecked and not asked:
        if json_output:
            print_json({**facts, "loss": None})
        return DIVERGED
    state = state_at(run, which)
    trained = run.history.config_at(state.step)
    config = at_inner_lr(on_other_tasks(trained, changes), inner_lr)
    draws = num_draws or num_draws_of(config)
    result = evaluate_draws(
        config,
        state,
        num_draws=draws,
        num_tasks=num_tasks,
        num_shots=num_shots or config.eval_shots,
        num_queries=num_queries,
        num_inner_steps=num_inner_steps,
        seed=seed,
        query=QueryKind(inputs=query_inputs, targets=query_targets),
        subset=subset,
    )
    summary = result.summary()
    if json_output:
        print_json(
            {
                **facts,
                "step": state.step,
                "tasks": changed_tasks(trained, config),
                "num_tasks": result.num_tasks,
                "num_shots": num_shots or config.eval_shots,
                "num_draws": draws,
                "num_queries": num_queries,
                "inner_lr": chosen_inner_lr(config),
                "query_inputs": query_inputs,
                "query_targets": query_targets,
                "seed": seed,
                "interval_over": "tasks of this network",
                **plain_summary(summary, result.rmse),
            }
        )
        return delivered()
    family = build_family(config)
    # Of a generator, tasks that nobody has drawn; of a table, those kept for the end.
    kind = subset.value if family.target_name else "fresh"
    about = (
        f"{run.history.name}: query loss of {result.num_tasks:,} {kind} tasks by inner "
        "step"
    )
    if draws > 1:
        about += f", means over {draws} support sets of each"
    about += _where(run.history, which, state.step, changed_tasks(trained, config))
    screen = console()
    screen.width = max(WIDTH, screen.width)
    unit = family.target_name
    screen.print(summary_table(summary, title=about, rmse=result.rmse, unit=unit))
    screen.print(notes_on(summary), markup=False)
    return delivered()


def _where(
    history: "RunHistory",
    which: int | str | None,
    step: int,
    tasks: Mapping[str, Any],
) -> str:
    """Return whose losses these are, where they are not those of the whole run."""
    from metalab.experiment.naming import setting_text  # noqa: PLC0415 - torch

    told = ""
    if tasks:
        told = f", with {', '.join(setting_text(*item) for item in tasks.items())}"
    if which == "best":
        told += f", at its best evaluation (step {step:,})"
    elif which is not None:
        told += f", at outer step {step:,}"
    elif history.diverged is not None:
        told += f", last good state (step {step:,}) of a run that diverged"
    return told
