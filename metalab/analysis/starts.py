"""Other meta-parameters to adapt from: random, or trained without an inner loop."""

from typing import TYPE_CHECKING

from metalab.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.engine.events import Checkpoint
    from metalab.experiment.config import ExperimentConfig

JOINT_STEPS = 1000
"""Outer steps of joint training: its loss on sines stands still after some hundreds."""


class StartError(UserError):
    """Meta-parameters that an experiment has no counterpart of."""


def random_start(config: "ExperimentConfig") -> "Checkpoint":
    """Return what the experiment begins from with the next seed: nobody trained it."""
    from metalab.engine.trainer import Trainer  # noqa: PLC0415 - torch
    from metalab.experiment.fields import with_overrides  # noqa: PLC0415 - torch

    other = with_overrides(config, [("run.seed", config.run.seed + 1)])
    return Trainer(other, provider="autodiff").checkpoint()


def joint_start(
    config: "ExperimentConfig", give_up: "Callable[[], bool]" = lambda: False
) -> "Checkpoint":
    """Return meta-parameters trained on the query sets without adapting in between.

    Args:
        config: The experiment.
        give_up: Asked before each outer step: whether nobody wants the result any more.

    Raises:
        StartError: What is learned is more than an initialisation, or is not learned at
            all, so there is no joint training of it; or joint training diverges, or was
            given up.

    Source: Finn et al. 2017, section 5.1 ("pretrained").
    """
    from metalab.engine.events import Diverged  # noqa: PLC0415 - torch
    from metalab.engine.torch_threads import use_threads  # noqa: PLC0415 - torch
    from metalab.engine.trainer import Trainer  # noqa: PLC0415 - torch
    from metalab.experiment.fields import with_overrides  # noqa: PLC0415 - torch

    if not config.outer.optimizer.component.moves:
        raise StartError(
            f"outer.optimizer.kind {config.outer.optimizer.kind!r} moves no "
            "meta-parameters: joint training would be the random start"
        )
    try:
        joint = with_overrides(
            config,
            [
                ("hypergradient", {"kind": "joint"}),
                ("outer.num_steps", JOINT_STEPS),
                ("outer.schedule", "constant"),
                ("run.provider", "autodiff"),
                ("evaluation.every", JOINT_STEPS),
            ],
        )
    except UserError as error:
        raise StartError(
            f"joint training has no counterpart of this method: {error}"
        ) from error
    use_threads(1)
    trainer = Trainer(joint, provider="autodiff")
    for event in trainer.run(lambda: 1):
        if give_up():
            raise StartError("joint training was given up")
        # Going on would repeat the step that diverged, for ever.
        if isinstance(event, Diverged):
            raise StartError(f"joint training diverges at outer step {event.step}")
    return trainer.checkpoint()
