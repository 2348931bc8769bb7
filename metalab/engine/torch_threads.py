"""Number of threads that torch computes with."""

import torch

from metalab.engine.providers import FUSED
from metalab.experiment.config import ExperimentConfig


def use_threads(num_threads: int) -> None:
    """Have torch compute with so many CPU threads, in whatever thread this is.

    Said at the beginning of every work beside a run, before its first operation: torch
    counts its threads per thread, and one that was never told begins with as many as there
    are cores, which would be taken from the run, and whose sums end on other bits.
    """
    torch.set_num_threads(num_threads)


def use_threads_of(config: ExperimentConfig, provider: str) -> None:
    """Have torch compute with as many CPU threads as a run has: for the same bits.

    Args:
        config: The experiment.
        provider: Who computes it.
    """
    # The team of the kernels has the threads: those of torch would spin between two of
    # its calls.
    use_threads(1 if provider == FUSED else config.run.num_threads)
