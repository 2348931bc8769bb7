"""Choice of the provider that computes an experiment, once per run."""

import torch

from metalab.core.fused.plan import Counts, unsupported_reason
from metalab.core.fused.support import oracle_unsupported_reason
from metalab.core.learner import MetaLearner
from metalab.engine.build import (
    DTYPES,
    DeviceError,
    build_learner,
    resolve_device,
    training_family,
)
from metalab.experiment.config import ExperimentConfig

FUSED, AUTODIFF = "fused", "autodiff"


def runs_natively(learner: MetaLearner, counts: Counts) -> bool:
    """Return whether whole runs of outer steps are one native call.

    If not, the kernels answer what the inner loop and the estimator ask.
    """
    return unsupported_reason(learner, counts) is None


def counts_of(config: ExperimentConfig) -> Counts:
    """Return the sizes of a meta-batch."""
    tasks, num_shots = config.tasks, config.tasks.num_shots
    family = training_family(config)
    return Counts(
        num_tasks=config.outer.num_tasks,
        num_shots=num_shots,
        num_queries=family.num_queries(tasks.num_queries, num_shots),
        num_shots_min=config.tasks.num_shots_min if config.tasks.draws_num_shots else 0,
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
    return oracle_unsupported_reason(build_learner(config).problem)


def chosen_provider(config: ExperimentConfig) -> tuple[str, str]:
    """Return the provider of an experiment, and why; loads no compiler.

    "auto" takes the compiled kernels where there are any for the experiment.
    """
    if config.run.provider == AUTODIFF:
        return AUTODIFF, "run.provider says so"
    found = fused_obstacle(config)
    if found is None:
        return FUSED, "compiled kernels exist for every part"
    return AUTODIFF, found
