"""Training from a script or a notebook: the same runs as the command line's."""

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metalab.analysis.advice import advice, in_words
from metalab.api.foreground import run_in_foreground
from metalab.api.run import Run, open_file
from metalab.api.shows import progress_of
from metalab.api.sources import Source, experiment_from
from metalab.api.threads import keeping_threads
from metalab.core.errors import UserError
from metalab.core.paths import is_there
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus
from metalab.runs.running.resume import prepare_resume
from metalab.runs.system.home import new_run_path


class RunInterrupted(KeyboardInterrupt):
    """Somebody has stopped a run: Ctrl+C, the notebook's interrupt, a polite kill.

    A KeyboardInterrupt, so that a loop over seeds ends and a notebook does not go on to
    the next cell with half a run. The run file is whole; `metalab.resume` goes on, bit for
    bit.

    Attributes:
        run: What there is of the run.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(
            f"stopped at outer step {run.step:,} of {run.config.outer.num_steps:,}; kept in "
            f"{run.path}; metalab.resume({str(run.path)!r}) goes on"
        )
        self.run = run


def train(
    what: Source,
    *,
    seed: int | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: bool = True,
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> Run:
    """Train an experiment and keep it in a run file, as `metalab train` does.

    The same experiment and seed give the same run, bit for bit, wherever it is started:
    here, on the command line or in the window.

    Args:
        what: Name of a preset ("maml-sine") or of a recipe ("maml"); a share code; the path
            of an experiment in TOML; a mapping of settings, whose key "preset" names what
            they change; or an ExperimentConfig.
        seed: Of everything random, from 0; None keeps that of the experiment.
        path: Run file to create, ending in ".metalab"; None makes one in the data folder.
        progress: Whether to show how far it is: a bar in a terminal, a line elsewhere.
        settings: Changes by dotted path: {"outer.num_steps": 500}.
        **keywords: Changes by name: the path with "_" for its dots (`outer_num_steps=500`),
            or its last word where only one setting has it (`inner_lr=0.02`), or the place
            of a component (`hypergradient="implicit-cg"`).

    Returns:
        The run, finished; or diverged, with a RuntimeWarning, at its last good state.

    Raises:
        ConfigError: A setting is not allowed; a ValueError that names it, its value and
            what is allowed. Nothing has been written.
        TypeError: A keyword means no setting, or several; it names the nearest.
        RunFileError: The file exists, or cannot be written.
        RunInterrupted: Somebody stopped it; what there is is kept.

    Example:
        >>> import metalab as ml
        >>> run = ml.train("maml-sine", seed=1, outer_num_steps=500)
    """
    config = experiment_from(what, seed=seed, settings=settings, keywords=keywords)
    place = new_run_path(config) if path is None else Path(path)
    return _made(LiveRun(config, path=place), progress=progress, resuming=False)


def resume(
    path: str | os.PathLike[str],
    num_steps: int | None = None,
    *,
    progress: bool = True,
) -> Run:
    """Go on with a stopped, killed or finished run, bit for bit.

    Args:
        path: The run file.
        num_steps: Outer steps to take the run on to, in all; None keeps the plan.
        progress: As for `train`.

    Returns:
        The run, as for `train`.

    Raises:
        RunFileError: The file cannot be used, another process writes it, nothing is left
            to do, or a schedule depends on the planned steps.
        UserError: The run diverged: it would again, at the same step.
        RunInterrupted: Somebody stopped it; what there is is kept.
    """
    place = Path(path)
    past = prepare_resume(place, num_steps=num_steps)
    if past.diverged is not None:
        raise UserError(
            f"{place} diverged, and would again: {past.diverged.message} `metalab resume "
            "--anyway` lets its losses grow further"
        )
    live = LiveRun(past.configs, path=place, past=past)
    return _made(live, progress=progress, resuming=True)


def _made(live: LiveRun, *, progress: bool, resuming: bool) -> Run:
    """Run to the end, and return the run as its file holds it.

    Raises:
        RunInterrupted: Somebody stopped it.
        KeyboardInterrupt: Likewise, before there was anything to keep.
    """
    path = live.path
    assert path is not None, "a run of a script is kept"
    with keeping_threads(), progress_of(live, wanted=progress) as show:
        status, diverged = run_in_foreground(
            live, show=show, warn=_tell, resuming=resuming
        )
    if not is_there(path):
        raise KeyboardInterrupt("stopped before the first outer step; nothing was kept")
    run = open_file(path)
    if diverged is not None:
        told = in_words(advice(run.config, diverged))
        warnings.warn(
            f"{diverged.message} {told}".rstrip(), RuntimeWarning, stacklevel=3
        )
    elif status is RunStatus.STOPPED:
        raise RunInterrupted(run)
    return run


def _tell(line: str) -> None:
    sys.stderr.write(f"metalab: {line}\n")
