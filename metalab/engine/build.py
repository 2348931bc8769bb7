"""From a configuration to the parts that compute it."""

import torch

from metalab.core.errors import UserError
from metalab.core.inner_schedule import InnerSchedule
from metalab.core.learner import MetaLearner
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import TaskDistribution
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.memory_needs import (
    check_bytes,
    evaluation_bytes,
    training_bytes,
)
from metalab.experiment.naming import experiment_name

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class DeviceError(UserError):
    """A device was asked for that torch does not have here."""


def build_family(config: ExperimentConfig) -> TaskDistribution:
    """Return the task family of an experiment."""
    return config.tasks.family.build()


def training_family(config: ExperimentConfig) -> TaskDistribution:
    """Return the tasks that an experiment trains on, each with points enough."""
    return build_family(config).for_shots(config.tasks.num_shots)


def held_out_family(config: ExperimentConfig) -> TaskDistribution:
    """Return the tasks that an experiment never trains on, each with points enough."""
    return build_family(config).held_out().for_shots(config.eval_shots)


def build_learner(config: ExperimentConfig, *, fused: bool = False) -> MetaLearner:
    """Return the meta-learner of an experiment.

    Args:
        config: The experiment.
        fused: Whether compiled kernels answer, where `engine.providers` chose them.
    """
    return MetaLearner(
        problem=BilevelProblem(
            model=config.build_model(),
            meta=config.meta.build(),
            loss=config.loss.build(),
            query_loss=config.loss_of_queries.build(),
        ),
        inner=config.inner.build(),
        hypergradient=config.hypergradient.build(),
        outer=config.outer.optimizer.build(),
        num_steps=config.outer.num_steps,
        schedule=config.outer.schedule,
        schedule_floor=config.outer.schedule_floor,
        warmup_steps=config.outer.warmup_steps,
        clip_norm=config.outer.clip_norm,
        objective=OuterObjective(
            loss=config.outer.loss, annealing_steps=config.outer.annealing_steps
        ),
        first_order_steps=config.outer.first_order_steps,
        inner_schedule=InnerSchedule(
            ramp_steps=config.outer.inner_ramp_steps,
            lr_start_factor=config.outer.inner_lr_start_factor,
            num_steps_start=config.outer.num_inner_steps_start,
        ),
        measures_all=config.run.metrics == "all",
        fused=fused,
    )


def available_devices() -> tuple[str, ...]:
    """Return the devices that torch has here, fastest first."""
    cuda = ("cuda",) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


def resolve_device(config: ExperimentConfig) -> torch.device:
    """Return the device of an experiment.

    Raises:
        DeviceError: The configured device is not available.
    """
    wanted = config.run.device
    available = available_devices()
    if wanted == "auto":
        # mps has no float64, so "auto" passes it over for such a run.
        usable = [
            d for d in available if d != "mps" or config.run.precision == "float32"
        ]
        return torch.device(usable[0])
    if wanted not in available:
        raise DeviceError(
            f"run.device is {wanted!r}; allowed here: auto, {', '.join(available)}"
        )
    return torch.device(wanted)


def check_fits(config: ExperimentConfig, *, trains: bool) -> None:
    """Refuse what would not fit into the memory of this machine.

    Args:
        config: The experiment.
        trains: Whether outer steps are made, not only looked at held-out tasks.

    Raises:
        MemoryNeedError: It does not fit.
    """
    needed = evaluation_bytes(config)
    if trains:
        needed = max(needed, training_bytes(config))
    check_bytes(needed, f"the experiment {experiment_name(config)!r}")
