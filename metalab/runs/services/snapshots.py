"""A run's training state at an outer step: kept in its file, or recomputed from there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from metalab.engine.events import Array, Checkpoint, Curves, HeldOutTasks
from metalab.engine.other_tasks import on_other_tasks
from metalab.engine.providers import AUTODIFF
from metalab.engine.shapes import state_shapes
from metalab.engine.torch_threads import use_threads_of
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.config_history import config_history
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import RunHistory, no_diagnostics
from metalab.runs.record.reader import StoredRun, open_run, stored_state_before
from metalab.runs.services.state_replayer import RewindRequest, recomputed

BEST = "best"
"""The state with the lowest held-out evaluation of the run, the earliest of equals."""


def state_at(run: StoredRun, which: int | str | None = None) -> Checkpoint:
    """Return a training state of a run, bit for bit as it was.

    A state that the file does not keep is made again from the one before, which takes
    as long as training did from there: at most one interval of evaluations. The state of
    every evaluation is kept, so the best one is.

    Args:
        run: The run.
        which: An outer step, `BEST`, or None for the newest state.

    Raises:
        RunFileError: The run has no such state, or none that can be had any more.
        ProviderError: It needs compiled kernels that cannot be had here.
        DeviceError: It needs a device that is not here.
    """
    newest = run.newest_state()
    step = _step_of(run.history, which, newest)
    path = run.history.path
    assert path is not None, "a stored run has a file"
    if step == newest.step:
        return newest
    if not 0 <= step <= newest.step:
        raise RunFileError(
            f"{path} has no outer step {step:,}; allowed: 0 to {newest.step:,}"
        )
    before = stored_state_before(path, step)
    if before is not None and before.step == step:
        return before
    if before is None or not _goes_on(run.history, before):
        raise RunFileError(
            f"{path} does not keep outer step {step:,}, nor what it could be recomputed "
            f"from; nearest that it keeps: {_nearest(run.history, newest, step)}"
        )
    found = recomputed(
        RewindRequest(
            configs=run.history.configs,
            provider=run.history.provider,
            state=before,
            step=step,
        )
    )
    assert found is not None, "nobody gives up"
    return found


def _step_of(history: RunHistory, which: int | str | None, newest: Checkpoint) -> int:
    if which is None:
        return newest.step
    if isinstance(which, int):
        return which
    assert which == BEST, f"no such state: {which}"
    best = history.best_evaluation
    if best is None:
        raise RunFileError(
            f"{history.path} holds no held-out evaluation, so none of its states is best"
        )
    return best[0]


def _goes_on(history: RunHistory, state: Checkpoint) -> bool:
    """Return whether training can go on from a state as it did.

    Before 0.4 files kept meta-parameters without the optimiser's state.
    """
    shapes = state_shapes(history.config_at(state.step))
    return bool(history.provider) and len(state.slots) == len(shapes) - 1


def _nearest(history: RunHistory, newest: Checkpoint, step: int) -> str:
    kept = np.append(history.trail.steps, newest.step)
    return f"{int(kept[np.argmin(np.abs(kept - step))]):,}"


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
    history = whole if state.step == whole.step else whole.at(state.step)
    if not changes:
        shown = with_curves(replace(run, history=history, checkpoint=state))
        return shown, state.phi
    config = on_other_tasks(whole.config_at(state.step), changes)
    tasks, curves = adapted_curves(config, state)
    shown = replace(
        history,
        configs=config_history(config),
        held_out_tasks=tasks,
        curves=curves,
        evaluations=history.evaluations.until(-1),
        diagnostics=no_diagnostics(),
    )
    return shown, state.phi


def adapted_curves(
    config: ExperimentConfig, state: Checkpoint
) -> tuple[HeldOutTasks, Curves]:
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
