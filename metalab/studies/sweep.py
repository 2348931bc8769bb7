"""The runs of a sweep: where they are kept, and what they would take."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metalab.experiment.naming import experiment_name
from metalab.experiment.sweep_file import SweepFile, SweepPoint, points_of
from metalab.runs.batch.batch import BatchError, PlannedRun
from metalab.runs.system.file_lock import NO_LOCKS, try_lock
from metalab.runs.system.home import RUN_SUFFIX, data_home, file_stem

LOCK_NAME = ".sweep"
"""File in a folder of runs that is locked while a sweep is run there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """A sweep as it is to be run.

    Attributes:
        sweep: What the file says.
        folder: Where its run files are kept.
        points: Its runs.
    """

    sweep: SweepFile
    folder: Path
    points: tuple[SweepPoint, ...]

    def runs(self) -> list[PlannedRun]:
        """Return every run; a file's name tells experiments of other settings apart."""
        return [
            PlannedRun(config=point.config, path=self.folder / _file_name(point))
            for point in self.points
        ]

    @property
    def num_steps(self) -> int:
        """Outer steps of all runs together."""
        return sum(point.config.outer.num_steps for point in self.points)


def plan_of(sweep: SweepFile, folder: Path | None = None) -> SweepPlan:
    """Return the plan of a sweep.

    Args:
        sweep: What the file says.
        folder: Where its run files shall be; None for a folder of its name among the data.

    Raises:
        ConfigError: A path or a value is none of an experiment's.
    """
    points = tuple(points_of(sweep))
    return SweepPlan(
        sweep=sweep, folder=folder or default_folder(sweep.name), points=points
    )


def default_folder(name: str) -> Path:
    """Return where the runs of a sweep are kept unless a person chooses another place."""
    return data_home() / "sweeps" / file_stem(name)


def done_already(runs: Sequence[PlannedRun]) -> int:
    """Return how many runs have a file; of these, finished ones are not run again."""
    return sum(run.path.is_file() for run in runs)


@contextmanager
def held_folder(folder: Path) -> Generator[None, None, None]:
    """Keep a folder of runs for one sweep at a time, until the process ends.

    Raises:
        BatchError: Another process runs a sweep in it, or it takes no file.
    """
    try:
        file = (folder / LOCK_NAME).open("ab")
    except OSError as error:
        raise BatchError(f"cannot keep runs in {folder}: {error.strerror}") from error
    with file:
        try:
            free = try_lock(file)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            # Then the lock of each run file is in the way of two writers, or nothing is.
            free = True
        if not free:
            raise BatchError(
                f"another process is running a sweep in {folder}; wait for it, stop it, "
                "or choose another folder"
            )
        yield


def _file_name(point: SweepPoint) -> str:
    name = file_stem(experiment_name(point.config))
    seed, digest = point.config.run.seed, point.config.digest()[:8]
    return f"{name}-seed{seed}-{digest}{RUN_SUFFIX}"
