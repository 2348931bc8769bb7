"""Recomputing what a run file does not hold, from what it does."""

from dataclasses import replace
from pathlib import Path

from metalab.engine.events import Array
from metalab.engine.gallery import Gallery
from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads_of
from metalab.engine.trainer import Trainer
from metalab.runs.history import RunHistory
from metalab.runs.moments import history_at
from metalab.runs.reader import StoredRun, open_run
from metalab.runs.rewinder import recomputed, rewind_request
from metalab.runs.run_file import RunFileError


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


def load_history(path: Path) -> RunHistory:
    """Read a run file with its curves.

    Raises:
        RunFileError: The file cannot be used.
    """
    return with_curves(open_run(path))


def history_and_phi(path: Path, step: int | None) -> tuple[RunHistory, Array]:
    """Return a run as it was at an outer step, and its meta-parameters there.

    What no snapshot holds is recomputed from the one before, bit for bit.

    Args:
        path: The run file.
        step: The outer step; None takes the newest.

    Raises:
        RunFileError: The file cannot be used, holds no meta-parameters, or has not come
            to that step.
    """
    run = open_run(path)
    newest = run.newest_state()
    if step is None or step == newest.step:
        return with_curves(run), newest.phi
    if not 0 <= step < newest.step:
        raise RunFileError(
            f"{path} has no outer step {step:,}; allowed: 0 to {newest.step:,}"
        )
    request = rewind_request(run.history, step)
    state = None if request is None else recomputed(request)
    if state is None:
        raise RunFileError(
            f"{path} holds no state before outer step {step:,} to begin from"
        )
    config = run.history.config_at(state.step)
    use_threads_of(config, AUTODIFF)
    curves = Gallery(config, provider=AUTODIFF).curves(state)
    return history_at(run.history, state.step, curves=curves), state.phi
