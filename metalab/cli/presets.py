"""`metalab presets`: what can be run by name, and whether it learns."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from metalab.cli.output import console, print_json

if TYPE_CHECKING:
    from metalab.runs.check_presets import PresetCheck

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
            help="Run the beginning of each from seed 0, without a file, and compare "
            "held-out query losses; exit code 1 where one does not fall.",
        ),
    ] = False,
    num_steps: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Outer steps of a check.")
    ] = 300,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON array on stdout.")
    ] = False,
) -> int:
    """List the presets, print the settings of some, or check that they learn."""
    from metalab.catalog.recipes import preset_settings  # noqa: PLC0415 - slow
    from metalab.catalog.recipes import presets as all_presets  # noqa: PLC0415

    chosen = tuple(dict.fromkeys(names or all_presets()))
    for name in chosen:
        preset_settings(name)  # refuses an unknown name
    if check:
        return _check(chosen, num_steps=num_steps, json_output=json_output)
    rows = [
        {"name": name, "title": preset.title, "source": preset.source}
        for name, preset in ((name, all_presets()[name][1]) for name in chosen)
    ]
    if json_output:
        print_json([row | _settings(row["name"]) for row in rows] if names else rows)
        return 0
    table = Table(show_lines=True)
    for heading in ("Name", "Title", "Source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["title"], row["source"])
    console().print(table)
    for name in chosen if names else ():
        _print_settings(name)
    return 0


def _settings(name: str) -> dict[str, Any]:
    from metalab.cli.settings import facts_of, shown_experiment  # noqa: PLC0415 - torch

    return facts_of(shown_experiment(name))


def _print_settings(name: str) -> None:
    from metalab.cli.settings import (  # noqa: PLC0415 - torch
        print_settings,
        shown_experiment,
    )

    print_settings(shown_experiment(name))


def _check(names: Sequence[str], *, num_steps: int, json_output: bool) -> int:
    from metalab.runs.check_presets import check_preset  # noqa: PLC0415 - torch

    results: list[PresetCheck] = []
    # On stderr, and only where that is a terminal: the whole check takes minutes.
    with console(json_output=True).status("") as status:
        for name in names:
            status.update(f"{name} ({len(results) + 1} of {len(names)})")
            results.append(check_preset(name, num_steps=num_steps))
    if json_output:
        print_json([_row(result) for result in results])
    else:
        _print_table(results, num_steps)
    return 0 if all(result.passed for result in results) else DOES_NOT_LEARN


def _row(result: "PresetCheck") -> dict[str, str | float]:
    return {
        "name": result.name,
        "over": result.over,
        "before": result.before,
        "after": result.after,
        "seconds": result.seconds,
        "verdict": result.verdict.value,
        "message": result.message,
    }


def _print_table(results: Iterable["PresetCheck"], num_steps: int) -> None:
    table = Table(title=f"Held-out query loss over {num_steps:,} outer steps")
    table.add_column("Name", overflow="fold")
    for heading in ("Before", "After", "Seconds"):
        table.add_column(heading, justify="right")
    table.add_column("Verdict", overflow="fold")
    for result in results:
        about = f": {result.message}" if result.message else f" over {result.over}"
        table.add_row(
            result.name,
            f"{result.before:.4g}",
            f"{result.after:.4g}",
            f"{result.seconds:.1f}",
            result.verdict.value + about,
        )
    console().print(table)
