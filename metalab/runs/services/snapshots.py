"""A run's training state at an outer step: kept in its file, or recomputed from there."""

import numpy as np

from metalab.engine.events import Checkpoint
from metalab.engine.shapes import state_shapes
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import StoredRun, stored_state_before
from metalab.runs.services.rewinder import RewindRequest, recomputed

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
