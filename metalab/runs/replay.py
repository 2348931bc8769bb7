"""Recomputing what a run file does not hold, from what it does."""

from dataclasses import replace
from pathlib import Path

from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads_of
from metalab.engine.trainer import Trainer
from metalab.runs.history import RunHistory
from metalab.runs.reader import StoredRun, open_run


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
