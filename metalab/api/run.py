"""A run as a value: what it measured, and what its network does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from metalab.analysis.step_size import at_inner_lr
from metalab.api.adapted import Adapted
from metalab.api.columns import Columns
from metalab.api.evaluated import Evaluated, evaluated
from metalab.api.pictures import picture
from metalab.api.threads import keeping_threads
from metalab.engine.events import Checkpoint, Diverged
from metalab.experiment.config import ExperimentConfig
from metalab.figures.metrics_files import export_metrics
from metalab.runs.record.history import EvaluationSeries, RunHistory
from metalab.runs.record.reader import StoredRun, open_run, whole_rows
from metalab.runs.services.snapshots import state_at
from metalab.runs.services.weights import export_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Run:
    """A run as its file held it when it was opened; nothing here writes to the file.

    What follows from the file is read or computed when it is first asked for. A run that
    still goes on, in the window or another process, can be opened; `open` it again to see
    more of it.
    """

    def __init__(self, stored: StoredRun, which: int | str | None = None) -> None:
        """Take a stored run; `metalab.open` makes one of a path.

        Args:
            stored: The run, as its file holds it.
            which: The moment of it, as `at` takes it; None takes the newest.
        """
        self._stored = stored
        self._which = which

    @property
    def path(self) -> Path:
        """The run file."""
        found = self._stored.history.path
        assert found is not None, "a stored run has a file"
        return found

    @property
    def config(self) -> ExperimentConfig:
        """Every setting, as the outer step of this moment was made with."""
        return self._history.config_at()

    @property
    def name(self) -> str:
        """Name of the run: it tells what the run changes of its preset."""
        return self._history.name

    @property
    def status(self) -> str:
        """End of the run: "finished", "stopped", "diverged" or "failed".

        Of a run that still goes on, or was killed, "stopped".
        """
        return self._stored.history.status.value

    @property
    def step(self) -> int:
        """Outer steps made at this moment."""
        return self._history.step

    @property
    def diverged(self) -> Diverged | None:
        """Quantity that exploded, with `message`, `step`, `last_good_step`; None if nothing did."""
        return self._stored.history.diverged

    @cached_property
    def _state(self) -> Checkpoint:
        """The meta-parameters at this moment; recomputed where the file lacks them."""
        with keeping_threads():
            return state_at(self._stored, self._which)

    @cached_property
    def _history(self) -> RunHistory:
        whole = self._stored.history
        if self._which is None:
            return whole
        # The newest moment is the whole run, with what exploded after it.
        return whole if self._state.step == whole.step else whole.at(self._state.step)

    @property
    def phi(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Meta-parameters at this moment, [meta], in the precision of the run.

        Raises:
            RunFileError: The file holds none: the run was stopped before its first state.
        """
        return self._state.phi

    @cached_property
    def metrics(self) -> Columns:
        """Measurements of every outer step.

        Columns: `step`, from 1; `seconds` of training, without pauses; and the metrics,
        means over the tasks of the step's meta-batch: `outer_loss` (query loss after
        adaptation), `outer_loss_before`, `support_loss_before`, `support_loss_after`,
        `hypergradient_norm`, `adaptation_distance`, `meta_parameter_norm`, and counts of
        what was computed. NaN stands where a method does not measure one.
        """
        whole = whole_rows(self._history)
        return Columns({"step": whole.steps, "seconds": whole.seconds, **whole.metrics})

    @cached_property
    def evaluations(self) -> Columns:
        """Losses of the held-out tasks over training: a row an evaluation and inner step.

        Columns: `step`, outer steps made; `inner_step`, 0 ... K'; `query_mean` over tasks
        with its 95 % interval `query_low` to `query_high` (over the tasks of this network;
        NaN where none can be given), `query_median`, `query_iqm` (interquartile mean), the
        percentiles `query_p10` and `query_p90`, `query_exploded` (number of tasks), and
        `support_mean` and `support_rising` (number of tasks) of the support sets.
        """
        series = self._history.evaluations
        names = [entry.name for entry in fields(EvaluationSeries)][1:]
        num_points = series.query_mean.shape[1]
        return Columns(
            {
                "step": np.repeat(series.steps, num_points),
                "inner_step": np.tile(np.arange(float(num_points)), len(series)),
                **{name: getattr(series, name).reshape(-1) for name in names},
            }
        )

    def at(self, step: int | str) -> "Run":
        """Return the run as it was at an outer step, bit for bit.

        Args:
            step: Outer steps made, from 0; or "best", for the lowest held-out loss.

        Raises:
            RunFileError: The run has no such step, or keeps nothing to recompute it from.
        """
        found = Run(self._stored, step)
        _ = found.step  # tells now what is wrong with the step
        return found

    def adapt(
        self,
        x: ArrayLike,
        y: ArrayLike,
        steps: int | None = None,
        inner_lr: float | None = None,
    ) -> Adapted:
        """Adapt the network to observations of one task.

        Args:
            x: Inputs of the support set in their own unit, [shot] or [shot, input].
            y: Targets in their own unit, [shot] or [shot, output].
            steps: Inner steps, from 0; None takes as many as the run evaluates (K').
            inner_lr: Step size of the inner loop; None takes that of the run.

        Returns:
            The adapted network, after each of the inner steps.

        Raises:
            AdaptError: The points are not what the network takes; a ValueError.
            ConfigError: The inner loop has learned its step size, or has none.

        Example:
            >>> adapted = run.adapt([0.0, 1.0, 2.0], [0.1, 0.9, 0.8], steps=10)
            >>> adapted.predict([0.5, 1.5])
        """
        config = at_inner_lr(self.config, inner_lr)
        num_inner_steps = config.num_shown_steps if steps is None else steps
        return Adapted(config, self._state.phi, x, y, num_inner_steps=num_inner_steps)

    def evaluate(  # noqa: PLR0913 - those of one evaluation
        self,
        num_tasks: int = 600,
        *,
        num_inner_steps: int = 10,
        inner_lr: float | None = None,
        num_shots: int | None = None,
        num_queries: int = 100,
        query_inputs: str = "random",
        query_targets: str = "noisy",
        subset: str = "held-out",
        num_draws: int | None = None,
        seed: int = 0,
        tasks: Mapping[str, Any] | None = None,
    ) -> Evaluated:
        """Measure the query loss of tasks that the run never saw, as `metalab eval` does.

        Of a run that diverged, the last good state is measured.

        Args:
            num_tasks: Fresh tasks, from 2; of a table, its held-out ones, at most so many.
            num_inner_steps: K', from 0.
            inner_lr: Step size of the inner loop; None takes that of the run.
            num_shots: Support points of each task; None takes those of the run's
                evaluation.
            num_queries: Query points of each task.
            query_inputs: "random", or "grid" for evenly spaced ones.
            query_targets: "noisy" like the support set's, or "noise-free".
            subset: Of a table: "held-out", or "validation".
            num_draws: Support sets of each task, whose losses are averaged; None takes 20
                of a table, and 1 of a generator, which has other tasks each time.
            seed: Fixes the tasks, whatever the method.
            tasks: Other tasks: settings of the task family by dotted path, such as
                {"tasks.family.x_max": 10}.

        Raises:
            UserError: A number or word is not allowed, or there is no such task.
            ConfigError: The network cannot be given such tasks, or the inner loop has no
                step size to choose.

        Example:
            >>> result = run.evaluate(num_tasks=600)
            >>> result.mean, result.interval
        """
        return evaluated(
            self.config,
            self._state,
            num_tasks=num_tasks,
            num_inner_steps=num_inner_steps,
            inner_lr=inner_lr,
            num_shots=num_shots,
            num_queries=num_queries,
            query_inputs=query_inputs,
            query_targets=query_targets,
            subset=subset,
            num_draws=num_draws,
            seed=seed,
            tasks=tasks or {},
        )

    def figure(self, name: str, **choices: Any) -> "Figure":
        """Draw a figure of the run, as `metalab export` writes it.

        Args:
            name: Of the figure, such as "losses", "gallery", "adapt" or "landscape"; a
                wrong one tells them all.
            **choices: What `metalab export` takes, with "_" for "-": `size` ("single",
                "double", "slide" or "square"), `width` in mm, `font`, `font_size` in
                points, `line_width`, `legend`, `log_y`, `smoothing`, `x`, `task` (from 1),
                `inner_step`, `sort`, `points` (x and y, [shot] each), `surface`, `axes`,
                `zoom`, `num_paths`, `num_inner_steps`, `against`, `seed`.

        Returns:
            matplotlib's figure, which a notebook shows; it is no pyplot figure, and need
            not be closed.

        Raises:
            FigureError: A name or a choice is not admissible, or the run holds nothing of
                the kind.
            TypeError: There is no such choice; names the nearest.

        Example:
            >>> run.figure("losses", size="double", log_y=False)
        """
        with keeping_threads():
            return picture(self.path, self._which, name, choices)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the report on the run: configuration, figures, held-out losses, BibTeX.

        Equal to `metalab report`; of several runs, see `metalab.report`.

        Args:
            path: .html, one page that holds its figures, or .pdf. What is there is
                replaced.

        Returns:
            The file.

        Raises:
            UserError: The suffix is another one, or the file cannot be written.

        Example:
            run.report("run.pdf")
        """
        from metalab.api.reporting import report  # noqa: PLC0415 - matplotlib

        return report([self], path)

    def export_weights(
        self, folder: str | os.PathLike[str], *, force: bool = False
    ) -> None:
        """Write the meta-parameters at this moment, and a program that needs torch alone.

        The folder then holds `weights.safetensors`, `weights.json` and `model.py`, whose
        `adapt(x, y)` returns the network adapted to a support set.

        Args:
            folder: Where to; it is made, its own folder has to be there.
            force: Whether to replace files that are there.

        Raises:
            WeightsError: The folder cannot be written to, or holds such files; a ValueError.
            ScriptError: A component, of a plug-in, declares no source of torch alone.

        Example:
            >>> run.at("best").export_weights("sine")
        """
        with keeping_threads():
            export_weights(self._stored, Path(folder), self._which, force=force)

    def export_metrics(
        self,
        path: str | os.PathLike[str],
        kind: str | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Write what the run measured up to this moment, for other tools.

        Args:
            path: A .csv or .parquet file, or a folder for TensorBoard.
            kind: "csv", "parquet", "tensorboard" or "trackio", whose `import_csv` reads
                the file; None goes by the path.
            force: Whether to replace what is there.

        Raises:
            MetricsError: The path or the kind is not admissible, or the package that
                writes it is not installed; a ValueError.

        Example:
            >>> run.export_metrics("metrics.parquet")
        """
        export_metrics(
            self._history, Path(path), kind, created=self._stored.created, force=force
        )

    def window(self) -> "subprocess.Popen[bytes]":
        """Open the run in the window, in a process of its own.

        Returns:
            The process; it ends when the window is closed.
        """
        command = [sys.executable, "-m", "metalab", str(self.path.absolute())]
        return subprocess.Popen(command)

    def _told(self) -> dict[str, str]:
        """Return what there is to say, in the order in which it is said."""
        history = self._history
        told = {
            "status": self.status,
            "outer step": f"{history.step:,} of {history.num_steps:,}",
            "seed": str(self.config.run.seed),
        }
        loss = history.latest_evaluation
        if loss is not None:
            told["held-out query loss"] = f"{loss:.4g}"
        if self.diverged is not None:
            told["diverged"] = self.diverged.message
        told["file"] = str(self.path)
        return told

    def __repr__(self) -> str:
        """Return name and state in one line."""
        told = "; ".join(f"{key} {value}" for key, value in self._told().items())
        return f"<Run {self.name}: {told}>"

    def _repr_html_(self) -> str:
        """Return name and state for a notebook."""
        rows = "".join(
            f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>"
            for key, value in self._told().items()
        )
        return f"<table><caption>{escape(self.name)}</caption>{rows}</table>"


def open_file(path: str | os.PathLike[str]) -> Run:
    """Return the run of a file; nothing is written to it.

    Args:
        path: A run file, of the command line, the window or `train`.

    Raises:
        RunFileError: The file is missing, foreign, damaged or from a newer metalab; a
            ValueError.

    Example:
        >>> run = ml.open("run.metalab")
    """
    return Run(open_run(Path(path)))
