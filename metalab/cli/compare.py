"""`metalab compare`: methods with several seeds, on the same held-out tasks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from metalab.cli.output import console, delivered, print_json, warn
from metalab.cli.target import Force, check_free
from metalab.core.errors import UserError

if TYPE_CHECKING:
    from metalab.studies.comparison import Comparison

WIDTH = 132


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
    check_free(targets, force=force)
    screen = console(json_output=json_output)
    with screen.status("Measuring") as status:
        found = compare_files(
            _run_files(files),
            num_tasks=num_tasks,
            num_queries=num_queries,
            num_inner_steps=num_inner_steps,
            seed=seed,
            reference=reference,
            tell=lambda name: status.update(f"Measuring {name}"),
        )
    written = [file for path in targets for file in write_comparison(found, path)]
    if json_output:
        print_json({**_plain(found), "wrote": [str(path) for path in written]})
        return delivered()
    _print(found, written)
    return delivered()


def _run_files(given: list[Path]) -> list[Path]:
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
    from metalab.studies.comparison_output import (  # noqa: PLC0415
        HEADINGS,
        note_on,
        rows_of,
    )

    screen = console()
    screen.width = max(WIDTH, screen.width)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "Method" else "right")
    for row in rows_of(found):
        table.add_row(*row)
    screen.print(table)
    screen.print(note_on(found), markup=False)
    for difference in found.differences:
        screen.print(difference.words, markup=False)
    for group in found.groups:
        for run in group.runs:
            if run.failure:
                warn(f"{run.path}: {run.failure}")
    for path in written:
        screen.print(f"Wrote {path}", markup=False)


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
        "methods": [
            {
                "method": group.title,
                "seeds": list(group.seeds),
                "num_diverged": group.num_failed,
                **ends("mean", group.mean()),
                **ends("iqm", group.interquartile_mean()),
                "median": group.median(),
                "best_seed": group.best(),
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
    }
