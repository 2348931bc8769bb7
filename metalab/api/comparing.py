"""Comparisons and sweeps from scripts and notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metalab.api.run import Run, open_file
from metalab.runs.batch.batch import BatchError, Ending
from metalab.runs.batch.folder import held_folder
from metalab.runs.batch.in_turn import run_in_turn
from metalab.runs.batch.pool import run_in_processes
from metalab.runs.batch.run_queue import Silent
from metalab.studies.comparison import Comparison, compare_files
from metalab.studies.comparison_curves import CurveChoices, drawing_of
from metalab.studies.comparison_output import to_markdown, write_comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Markdown(str):
    """Text in Markdown, which a notebook shows set."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, repr=False)
class Compared:
    """Methods with their seeds beside each other, on the same held-out tasks.

    Attributes:
        comparison: Everything that was found: groups with losses [seed, task], and the
            differences to the first method.
    """

    comparison: Comparison

    def table(self) -> Markdown:
        """Return the table in Markdown: a row a method, then what it shows in words."""
        return Markdown(to_markdown(self.comparison))

    def figure(self, *, x: str = "outer step", spread: str = "band") -> "Figure":
        """Return the held-out loss over training, a line a method.

        Args:
            x: "outer step", "training time", "tasks seen" or "gradient evaluations".
            spread: How seeds are shown: "band", the 95 % interval of their mean, or
                "seeds", each as a faint line.

        Raises:
            UserError: A choice is another one.
        """
        from metalab.figures.paint import paint, styled  # noqa: PLC0415 - matplotlib
        from metalab.figures.sizes import size_named  # noqa: PLC0415

        size, choices = size_named("double"), CurveChoices(x=x, spread=spread)
        with styled(size):
            return paint(drawing_of(self.comparison, size, choices), size)

    def save(self, path: str | Path) -> tuple[Path, ...]:
        """Write table (.tex, .md, .csv, .html) or figure (.pdf, .svg, .png, .py).

        Raises:
            ComparisonError: The suffix is another one.
        """
        return write_comparison(self.comparison, Path(path))

    def __repr__(self) -> str:
        """Return the table."""
        return self.table()

    def _repr_markdown_(self) -> str:
        return self.table()


def compare(
    runs: Sequence[Run | str | Path],
    *,
    num_tasks: int = 600,
    num_inner_steps: int | None = None,
    seed: int = 0,
    reference: str | None = None,
    threshold: float | None = None,
) -> Compared:
    """Measure runs on the same held-out tasks, and compare their methods.

    Runs that differ in their seed alone are one method. Equal to `metalab compare`.

    Args:
        runs: Runs, or their files.
        num_tasks: Tasks that no run has seen; of a table, its held-out ones.
        num_inner_steps: K'; None takes each run's own K.
        seed: Fixes the tasks.
        reference: Method that the others are compared with; None for the first.
        threshold: Held-out loss that outer steps are counted to; None for the one that
            the reference ends at.

    Raises:
        ComparisonError: The runs are of different tasks, or a seed is there twice.
        RunFileError: A file cannot be used.

    Example:
        ml.compare([a, b]).table()
    """
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    found = compare_files(
        paths,
        num_tasks=num_tasks,
        num_inner_steps=num_inner_steps,
        seed=seed,
        reference=reference,
        threshold=threshold,
    )
    return Compared(found)


def sweep(
    file: str | Path, *, folder: str | Path | None = None, jobs: int = 1
) -> list[Run]:
    """Run every combination of a sweep file's axes and seeds, and return the runs.

    Equal to `metalab sweep`: what is finished is not run again, and a run that was
    stopped goes on. More than one process needs a script that starts under
    `if __name__ == "__main__":`, as every use of multiprocessing does.

    Args:
        file: The sweep file (TOML).
        folder: Where run files are kept; None for a folder of its name among the data.
        jobs: Processes that run at once.

    Raises:
        SweepError: The file cannot be used.
        ConfigError: A path or a value is none of an experiment's.
        BatchError: Runs failed, after the others ended; or the folder is in use.
    """
    from metalab.experiment.sweep_file import read_sweep  # noqa: PLC0415 - pydantic
    from metalab.studies.files import prepare_folder  # noqa: PLC0415 - matplotlib
    from metalab.studies.sweep import plan_of  # noqa: PLC0415

    plan = plan_of(read_sweep(Path(file)), None if folder is None else Path(folder))
    planned = plan.runs()
    prepare_folder(plan.folder)
    with held_folder(plan.folder):
        if jobs == 1 or len(planned) == 1:
            outcomes = run_in_turn(planned, Silent())
        else:
            outcomes = run_in_processes(planned, Silent(), num_processes=jobs)
    failed = [
        f"{run.path}: {outcome.message}"
        for run, outcome in zip(planned, outcomes, strict=True)
        if outcome.ending is Ending.FAILED
    ]
    if failed:
        raise BatchError(f"{len(failed)} of {len(planned)} runs failed: {failed[0]}")
    return [open_file(run.path) for run in planned if run.path.is_file()]
