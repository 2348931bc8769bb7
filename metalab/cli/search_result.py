"""Result of a sweep whose trials were chosen: a table in its folder, and the best."""

import csv
import io
from typing import TYPE_CHECKING

from metalab.cli.output import console, print_json
from metalab.core.errors import UserError
from metalab.core.paths import replace_file

if TYPE_CHECKING:
    from metalab.studies.search import Searched, Tried
    from metalab.studies.sweep import SweepPlan

TABLE = "trials.csv"


def tell_search(plan: "SweepPlan", found: "Searched", *, json_output: bool) -> None:
    """Write every trial to a table in the sweep's folder, and print the best.

    Raises:
        UserError: The table cannot be written.
    """
    search = plan.sweep.search
    assert search is not None, "a sweep with a search"
    path = plan.folder / TABLE
    try:
        replace_file(path, _table(plan, found).encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    if json_output:
        facts = {
            "folder": str(plan.folder),
            "trials": [_facts(tried) for tried in found.trials],
            "best": None if found.best is None else _facts(found.best),
            "table": str(path),
        }
        print_json(facts)
        return
    pruned = sum(tried.pruned for tried in found.trials)
    screen = console()
    screen.print(
        f"{len(found.trials):,} of {search.num:,} trials, {pruned:,} of them pruned. "
        f"Table: {path}"
    )
    if found.best is not None:
        values = ", ".join(
            f"{name} {value}" for name, value in found.best.values.items()
        )
        screen.print(
            f"Best: trial {found.best.number}, {search.objective} "
            f"{found.best.objective:.4g}: {values}"
        )
        screen.print(f"Next: metalab eval {found.best.paths[0]}")


def _facts(tried: "Tried") -> dict[str, object]:
    return {
        "trial": tried.number,
        "values": dict(tried.values),
        "objective": tried.objective,
        "step": tried.step,
        "pruned": tried.pruned,
        "files": [str(path) for path in tried.paths],
    }


def _table(plan: "SweepPlan", found: "Searched") -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    axes = list(plan.sweep.axes)
    writer.writerow(["trial", *axes, "objective", "outer step", "pruned"])
    for tried in found.trials:
        values = [tried.values[axis] for axis in axes]
        objective = "" if tried.objective is None else repr(tried.objective)
        writer.writerow([tried.number, *values, objective, tried.step, tried.pruned])
    return text.getvalue()
