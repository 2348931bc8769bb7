"""Which provider computes an experiment, chosen once per run."""

import torch

from metalab.core.fused.plan import Counts, obstacle
from metalab.engine.build import DTYPES, DeviceError, build_learner, resolve_device
from metalab.engine.config import ExperimentConfig

FUSED, AUTODIFF = "fused", "autodiff"


def counts_of(config: ExperimentConfig) -> Counts:
    """Return the sizes of a meta-batch."""
    return Counts(
        num_tasks=config.outer.num_tasks,
        num_shots=config.tasks.num_shots,
        num_queries=config.tasks.num_queries,
    )


def fused_obstacle(config: ExperimentConfig) -> str | None:
    """Return why the compiled kernels cannot compute an experiment, or None."""
    try:
        device = resolve_device(config)
    except DeviceError as error:
        return str(error)
    if device.type != "cpu":
        return f"the compiled kernels run on the CPU, not on {device.type}"
    assert DTYPES[config.run.precision] in (torch.float32, torch.float64)
    return obstacle(build_learner(config), counts_of(config))


def chosen_provider(config: ExperimentConfig) -> tuple[str, str]:
    """Return the provider of an experiment, and why; loads no compiler.

    "auto" and "fused" take the compiled kernels where there are any for the experiment.
    """
    if config.run.provider == AUTODIFF:
        return AUTODIFF, "run.provider says so"
    found = fused_obstacle(config)
    if found is None:
        return FUSED, "compiled kernels exist for every part"
    return AUTODIFF, found
