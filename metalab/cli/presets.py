"""`metalab presets`: what can be run by name, and whether it learns."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from metalab.cli.output import console, delivered, print_json, warn
from metalab.cli.status import told_status
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.analysis.check_presets import PresetCheck

DOES_NOT_LEARN = 1
"""Exit code where a checked preset does not do what it is for."""


def presets(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Presets; by default all of them."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Run each without a file, and compare held-out query losses; exit code "
            "1 where one diverges or does not fall.",
        ),
    ] = False,
    num_steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="Outer steps of a check; by default 300."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Check the whole length of each preset.")
    ] = False,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Check seeds 0, 1, ... so many.")
    ] = 1,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON array on stdout.")
    ] = False,
) -> int:
    """List the presets, print the settings of some, or check that they learn and hold."""
    from metalab.experiment.plugins import plugin_problems, usable_presets  # noqa: PLC0415

    usable = usable_presets()
    # A recipe's name means its first preset, as for every other command.
    chosen = tuple(
        dict.fromkeys(_preset_of(name) for name in names) if names else usable
    )
    for problem in plugin_problems():
        warn(problem)
    _refuse_unknown(chosen, usable)
    if check:
        length = _length(num_steps, full=full)
        return _check(chosen, length, range(seeds), json_output=json_output)
    rows = [
        {"name": name, "title": preset.title, "source": preset.source}
        for name, preset in ((name, usable[name][1]) for name in chosen)
    ]
    if json_output:
        print_json([row | _settings(row["name"]) for row in rows] if names else rows)
        return delivered()
    table = Table(show_lines=True)
    for heading in ("Name", "Title", "Source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["title"], row["source"])
    console().print(table)
    for name in chosen if names else ():
        _print_settings(name)
    return delivered()


def _preset_of(name: str) -> str:
    from metalab.catalog.recipes import preset_named, recipes  # noqa: PLC0415

    return preset_named(name) if name in recipes() else name


def _refuse_unknown(chosen: Sequence[str], usable: Collection[str]) -> None:
    unknown = [name for name in chosen if name not in usable]
    if unknown:
        raise UserError(f"preset is {unknown[0]!r}; allowed: {', '.join(usable)}")


def _settings(name: str) -> dict[str, Any]:
    from metalab.cli.settings import facts_of, shown_experiment  # noqa: PLC0415 - torch

    return facts_of(shown_experiment(name))


def _print_settings(name: str) -> None:
    from metalab.cli.settings import (  # noqa: PLC0415 - torch
        print_settings,
        shown_experiment,
    )

    print_settings(shown_experiment(name))


def _length(num_steps: int | None, *, full: bool) -> int | None:
    """Return the outer steps of a check; None for all that a preset plans."""
    from metalab.analysis.check_presets import NUM_STEPS  # noqa: PLC0415 - torch

    if not full:
        return NUM_STEPS if num_steps is None else num_steps
    if num_steps is not None:
        raise UserError(
            f"--full is the whole length; it takes no --num-steps {num_steps}"
        )
    return None


def _check(
    names: Sequence[str],
    num_steps: int | None,
    seeds: Sequence[int],
    *,
    json_output: bool,
) -> int:
    from metalab.analysis.check_presets import check_preset  # noqa: PLC0415 - torch

    results: list[PresetCheck] = []
    count = len(names) * len(seeds)
    # The whole check takes minutes.
    with told_status("checking") as tell:
        for name in names:
            for seed in seeds:
                told = f"{name}, seed {seed} ({len(results) + 1} of {count})"
                tell(told)
                results.append(check_preset(name, num_steps=num_steps, seed=seed))
    if json_output:
        print_json([_row(result) for result in results])
    elif len(seeds) > 1:
        _print_summaries(results)
    else:
        _print_table(results)
    return delivered() if all(result.passed for result in results) else DOES_NOT_LEARN


def _row(result: "PresetCheck") -> dict[str, object]:
    final, diverged = result.final, result.diverged
    return {
        "name": result.name,
        "seed": result.seed,
        "num_steps": result.num_steps,
        "step": result.step,
        "over": result.over,
        "before": result.before,
        "after": result.after,
        "low": final.low,
        "high": final.high,
        "median": final.median,
        "interquartile_mean": final.interquartile_mean,
        "seconds": result.seconds,
        "verdict": result.verdict.value,
        "message": result.message,
        "diverged": None if diverged is None else asdict(diverged),
    }


def _print_table(results: Sequence["PresetCheck"]) -> None:
    table = Table(title="Held-out query loss, from seed 0")
    table.add_column("Name", overflow="fold")
    for heading in ("Steps", "Before", "After", "Median", "Seconds"):
        table.add_column(heading, justify="right")
    table.add_column("Verdict", overflow="fold")
    for result in results:
        about = f": {result.message}" if result.message else f" over {result.over}"
        table.add_row(
            result.name,
            f"{result.step:,}",
            f"{result.before:.4g}",
            f"{result.after:.4g}",
            f"{result.final.median:.4g}",
            f"{result.seconds:.1f}",
            result.verdict.value + about,
        )
    console().print(table)


def _print_summaries(results: Sequence["PresetCheck"]) -> None:
    from metalab.analysis.check_presets import summaries  # noqa: PLC0415 - torch

    table = Table(title="Held-out query loss at the end, over seeds")
    table.caption = (
        "SD: standard deviation of the mean over seeds. Median and interquartile mean "
        "(IQM) are over tasks; of them the median and the mean over seeds."
    )
    table.add_column("Name", no_wrap=True)
    for heading in ("Steps", "Diverged", "Mean", "SD", "Median", "IQM", "Seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in summaries(results):
        table.add_row(
            summary.name,
            f"{summary.num_steps:,}",
            f"{summary.num_diverged} of {len(summary.checks)}",
            f"{summary.mean:.4g}",
            f"{summary.deviation:.3g}",
            f"{summary.median:.4g}",
            f"{summary.interquartile_mean:.4g}",
            f"{summary.seconds:.0f}",
        )
    console().print(table)
