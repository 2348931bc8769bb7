"""`metalab compare`: methods with several seeds, on the same held-out tasks."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from metalab.cli.output import console, delivered, print_json, warn
from metalab.cli.target import Force, check_free
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison, Group

WIDTH = 190


def compare(
    files: Annotated[
        list[Path],
        typer.Argument(help="Run files, or folders of run files."),
    ],
    to: Annotated[
        list[Path] | None,
        typer.Option(
            help="Table (.tex, .md, .csv, .html) or figure (.pdf, .svg, .png, .py) to "
            "write. Repeatable."
        ),
    ] = None,
    force: Force = False,
    num_tasks: Annotated[
        int,
        typer.Option(
            min=5, help="Held-out tasks; of a table, its own, at most so many."
        ),
    ] = 600,
    num_queries: Annotated[
        int, typer.Option(min=1, help="Query points of each.")
    ] = 100,
    num_inner_steps: Annotated[
        int | None,
        typer.Option(min=0, max=10_000, help="Inner steps; by default each run's K."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes the tasks.")] = 0,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Method that the others are compared with; by default the first."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Held-out loss that outer steps are counted to; by default the one that "
            "the reference ends at."
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(
            help="Of the figure: outer-step, training-time, tasks-seen or "
            "gradient-evaluations."
        ),
    ] = "outer-step",
    spread: Annotated[
        str,
        typer.Option(
            help="Of the figure: band (95 % interval over seeds) or seeds (each faint)."
        ),
    ] = "band",
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> int:
    """Compare methods: runs that differ in their seed alone are one method.

    Every run adapts to the same held-out tasks, so differences are paired over tasks and,
    where the seeds are the same, over seeds. The first method is the reference.
    """
    from metalab.figures.render import check_target  # noqa: PLC0415 - matplotlib
    from metalab.studies.comparison import compare_files  # noqa: PLC0415 - torch
    from metalab.studies.comparison_curves import CurveChoices  # noqa: PLC0415
    from metalab.studies.comparison_output import (  # noqa: PLC0415
        SUFFIXES,
        write_comparison,
    )

    targets = to or []
    for path in targets:
        if path.suffix.lower() not in SUFFIXES:
            raise UserError(
                f"{path} ends in {path.suffix!r}; allowed: {', '.join(SUFFIXES)}"
            )
        check_target(path)
    choices = CurveChoices(x=x.replace("-", " "), spread=spread)
    check_free(targets, force=force)
    screen = console(json_output=json_output)
    with screen.status("Measuring") as status:
        found = compare_files(
            run_files(files),
            num_tasks=num_tasks,
            num_queries=num_queries,
            num_inner_steps=num_inner_steps,
            seed=seed,
            reference=reference,
            threshold=threshold,
            tell=lambda what: status.update(f"{what[:1].upper()}{what[1:]}"),
        )
    written = [
        file for path in targets for file in write_comparison(found, path, choices)
    ]
    if json_output:
        print_json({**_plain(found), "wrote": [str(path) for path in written]})
        return delivered()
    _print(found, written)
    return delivered()


def run_files(given: list[Path]) -> list[Path]:
    """Return run files: those of a folder in the order of their names.

    Raises:
        UserError: A folder holds none.
    """
    from metalab.runs.system.home import RUN_SUFFIX  # noqa: PLC0415

    found = list[Path]()
    for path in given:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(path.glob(f"*{RUN_SUFFIX}"))
        if not inside:
            raise UserError(f"the folder {path} holds no run file (*{RUN_SUFFIX})")
        found += inside
    return found


def _print(found: "Comparison", written: list[Path]) -> None:
    from metalab.studies.comparison_words import (  # noqa: PLC0415
        HEADINGS,
        note_on,
        rows_of,
        setting_headings,
        setting_rows,
    )

    screen = console()
    screen.width = max(WIDTH, screen.width)
    screen.print(_table(HEADINGS, rows_of(found)))
    screen.print(note_on(found), markup=False)
    for difference in found.differences:
        screen.print(difference.words, markup=False)
    settings = setting_rows(found)
    if settings:
        screen.print()
        screen.print(_table(setting_headings(found), settings))
    for failure in found.failures():
        warn(failure)
    for path in written:
        screen.print(f"Wrote {path}", markup=False)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for index, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if index else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _plain(found: "Comparison") -> dict[str, Any]:
    """Return the comparison for JSON: `methods` in order, then `differences`."""

    def ends(name: str, interval: Any) -> dict[str, float]:
        values = (interval.value, interval.low, interval.high)
        keys = (name, f"{name}_low", f"{name}_high")
        return dict(zip(keys, values, strict=True))

    return {
        "num_tasks": found.num_tasks,
        "num_shots": found.num_shots,
        "unit": found.unit,
        "seed": found.seed,
        "threshold": found.threshold,
        "area_end": found.end,
        "methods": [
            {
                "method": group.title,
                "seeds": list(group.seeds),
                "num_diverged": group.num_diverged,
                "num_failed": group.num_failed,
                **ends("mean", group.mean()),
                **ends("iqm", group.interquartile_mean()),
                "median": group.median(),
                "best_seed": group.best(),
                **_of_curve(group, found),
                "files": [str(run.path) for run in group.runs],
            }
            for group in found.groups
        ],
        "differences": [
            {
                "method": d.one,
                "reference": d.reference,
                **ends("difference", d.interval),
                "paired_seeds": d.paired,
                "p": d.p,
                "p_holm": d.p_holm,
                "test": d.test,
                "share_better": d.share_better,
                "words": d.words,
            }
            for d in found.differences
        ],
        "settings": [
            {"setting": row.key, "values": list(row.values), "unit": row.unit}
            for row in found.settings()
        ],
    }


def _of_curve(group: "Group", found: "Comparison") -> dict[str, Any]:
    """Return the numbers of a method's learning curves; null where half never arrive."""
    time, area = group.time_to(found.threshold), group.area(found.end)
    return {
        "steps_to_threshold": time.median if math.isfinite(time.median) else None,
        "num_reached": time.num_reached,
        "followed_steps": time.followed,
        "area_under_curve": area.value,
        "area_under_curve_low": area.low,
        "area_under_curve_high": area.high,
    }
