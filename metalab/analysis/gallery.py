"""Adaptation of the gallery's tasks, from any training state of an experiment."""

import torch

from metalab.engine.build import DTYPES, build_learner
from metalab.engine.events import Checkpoint, Curves
from metalab.engine.held_out import held_out_evaluation
from metalab.engine.providers import FUSED
from metalab.experiment.config import ExperimentConfig

_CPU = torch.device("cpu")


class Gallery:
    """The held-out tasks of an experiment, drawn anew; shares nothing with a run."""

    def __init__(self, config: ExperimentConfig, *, provider: str) -> None:
        """Draw the tasks from the seed: the same as those of every run of it.

        Args:
            config: The experiment at the outer step of the states.
            provider: Who computes, "fused" or "autodiff".
        """
        self._dtype = DTYPES[config.run.precision]
        learner = build_learner(config, fused=provider == FUSED)
        self._held_out = held_out_evaluation(config, learner, device=_CPU)

    def curves(self, state: Checkpoint) -> Curves:
        """Return how the gallery's tasks adapt from a training state."""
        phi = torch.tensor(state.phi, dtype=self._dtype)
        return self._held_out.curves(phi, state.step)
