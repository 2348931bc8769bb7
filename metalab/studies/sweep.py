"""The runs of a sweep: where they are kept, and what they would take."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metalab.experiment.config import ExperimentConfig
from metalab.experiment.naming import experiment_name
from metalab.experiment.sweep_file import SweepFile, SweepPoint, points_of
from metalab.runs.batch.batch import PlannedRun
from metalab.runs.system.home import RUN_SUFFIX, data_home, file_stem


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """A sweep as it is to be run.

    Attributes:
        sweep: What the file says.
        folder: Where its run files are kept.
        points: Its runs; none of a search, which chooses them as it goes on.
    """

    sweep: SweepFile
    folder: Path
    points: tuple[SweepPoint, ...]

    def runs(self) -> list[PlannedRun]:
        """Return every run; a file's name tells experiments of other settings apart."""
        return [
            PlannedRun(config=point.config, path=run_path(self.folder, point.config))
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
    points = () if sweep.search is not None else tuple(points_of(sweep))
    return SweepPlan(
        sweep=sweep,
        folder=(folder or default_folder(sweep.name)).absolute(),
        points=points,
    )


def default_folder(name: str) -> Path:
    """Return where the runs of a sweep are kept unless a person chooses another place."""
    return data_home() / "sweeps" / file_stem(name)


def done_already(runs: Sequence[PlannedRun]) -> int:
    """Return how many runs have a file; of these, finished ones are not run again."""
    return sum(run.path.is_file() for run in runs)


def run_path(folder: Path, config: ExperimentConfig) -> Path:
    """Return the run file of an experiment; those of other settings have other names."""
    name = file_stem(experiment_name(config))
    seed, digest = config.run.seed, config.digest()[:8]
    return folder / f"{name}-seed{seed}-{digest}{RUN_SUFFIX}"
