"""Recomputing what a run file does not hold, from what it does."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from metalab.engine.events import Array, Checkpoint, Curves, ProbeTasks
from metalab.engine.other_tasks import on_other_tasks
from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads_of
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.config_history import config_history
from metalab.runs.record.history import RunHistory, no_diagnostics
from metalab.runs.record.moments import history_at
from metalab.runs.record.reader import StoredRun, open_run
from metalab.runs.services.snapshots import state_at


def with_curves(run: StoredRun) -> RunHistory:
    """Return the run's history with the gallery's curves at its checkpoint.

    Curves follow from meta-parameters and held-out tasks, so the file does not hold
    them.
    """
    if run.checkpoint is None:
        return run.history
    use_threads_of(run.history.config_at(), AUTODIFF)
    # Curves alone need no compiled kernels, and so no wait for them.
    trainer = Trainer(run.history.configs, checkpoint=run.checkpoint, provider=AUTODIFF)
    return replace(run.history, curves=trainer.curves())


def load_history(
    path: Path,
    which: int | str | None = None,
    changes: Sequence[tuple[str, Any]] = (),
) -> RunHistory:
    """Read a run file with its curves.

    Args:
        path: The file.
        which: The moment of the run: an outer step, `snapshots.BEST`, or None for the
            newest.
        changes: Settings of the task family, for other held-out tasks than the run's.
            What was measured while the run went on is left out then: it is of others.

    Raises:
        RunFileError: The file cannot be used, or holds no such state.
        ConfigError: The network cannot be given such tasks.
    """
    if which is None and not changes:
        return with_curves(open_run(path))
    return history_and_phi(path, which, changes)[0]


def history_and_phi(
    path: Path,
    which: int | str | None = None,
    changes: Sequence[tuple[str, Any]] = (),
) -> tuple[RunHistory, Array]:
    """Return a run as it was at a moment, with its curves, and its meta-parameters.

    Args:
        path: The file.
        which: As for `load_history`.
        changes: Likewise.

    Raises:
        RunFileError: The file cannot be used, or holds no such state.
        ConfigError: The network cannot be given such tasks.
    """
    run = open_run(path)
    state = state_at(run, which)
    whole = run.history
    history = whole if state.step == whole.step else history_at(whole, state.step)
    if not changes:
        shown = with_curves(replace(run, history=history, checkpoint=state))
        return shown, state.phi
    config = on_other_tasks(whole.config_at(state.step), changes)
    tasks, curves = adapted_curves(config, state)
    shown = replace(
        history,
        configs=config_history(config),
        probe_tasks=tasks,
        curves=curves,
        evaluations=history.evaluations.until(-1),
        diagnostics=no_diagnostics(),
    )
    return shown, state.phi


def adapted_curves(
    config: ExperimentConfig, state: Checkpoint
) -> tuple[ProbeTasks, Curves]:
    """Return the held-out tasks of an experiment, and how those drawn adapt.

    Args:
        config: The experiment.
        state: The meta-parameters to adapt from.

    Raises:
        MemoryNeedError: The held-out tasks would not fit into memory.
    """
    use_threads_of(config, AUTODIFF)
    trainer = Trainer(config, checkpoint=state, provider=AUTODIFF)
    return trainer.held_out(), trainer.curves()
