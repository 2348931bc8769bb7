"""Does every preset learn? A few hundred outer steps of each, in memory."""

import time
from dataclasses import dataclass
from enum import Enum

import torch

from metalab.engine.config import ExperimentConfig, preset_config
from metalab.engine.events import Array, Diverged, ProbeTaken
from metalab.engine.overrides import with_overrides
from metalab.engine.trainer import Trainer

NUM_STEPS = 300
"""Outer steps of a check."""


class Verdict(Enum):
    """What came of a check."""

    FALLS = "falls"
    DOES_NOT_FALL = "does not fall"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetCheck:
    """What a few hundred outer steps did to the held-out query loss.

    Attributes:
        name: The preset.
        over: What the loss has to fall over: "training", or "adaptation" where phi
            stays.
        before: Over training: after K inner steps, untrained. Over adaptation: after 0
            inner steps, at the last evaluation.
        after: After K inner steps, at the last evaluation; of a run that diverged, the
            last one before that.
        seconds: Wall-clock time, preparation included.
        verdict: Whether it fell.
        message: What went wrong, of a run that diverged; else empty.
    """

    name: str
    over: str
    before: float
    after: float
    seconds: float
    verdict: Verdict
    message: str

    @property
    def passed(self) -> bool:
        """Whether the preset does what it is for."""
        return self.verdict is Verdict.FALLS


def check_preset(name: str, *, num_steps: int = NUM_STEPS) -> PresetCheck:
    """Run the beginning of a preset from seed 0, and compare held-out losses.

    The planned number of outer steps stays, and with it every schedule: what is made is
    the beginning of the very run that the preset describes.

    Args:
        name: The preset.
        num_steps: Outer steps to make; a preset that plans fewer makes those.

    Raises:
        UserError: No preset has that name.
    """
    config = _prepared(preset_config(name), num_steps)
    torch.set_num_threads(config.run.num_threads)
    began = time.perf_counter()
    losses, diverged = _losses(config, min(num_steps, config.outer.num_steps))
    first, last = losses[0], losses[-1]
    moves = config.outer.optimizer.component.moves
    before = float(first[-1]) if moves else float(last[0])
    after = float(last[-1])
    verdict = Verdict.FALLS if after < before else Verdict.DOES_NOT_FALL
    return PresetCheck(
        name=name,
        over="training" if moves else "adaptation",
        before=before,
        after=after,
        seconds=time.perf_counter() - began,
        verdict=verdict if diverged is None else Verdict.DIVERGED,
        message="" if diverged is None else diverged.message,
    )


def _prepared(config: ExperimentConfig, num_steps: int) -> ExperimentConfig:
    """Evaluate as seldom as possible, and no further than K inner steps."""
    return with_overrides(
        config,
        [
            ("run.seed", 0),
            ("evaluation.every", num_steps),
            ("evaluation.num_inner_steps", 1),
        ],
    )


def _losses(
    config: ExperimentConfig, num_steps: int
) -> tuple[list[Array], Diverged | None]:
    """Return the mean held-out query losses of each evaluation, [inner step], in order.

    The first is of the untrained network, the last after `num_steps` outer steps, unless
    the run diverged before.
    """
    trainer = Trainer(config)
    losses: list[Array] = []
    for event in trainer.run():
        if isinstance(event, Diverged):
            return losses, event
        if isinstance(event, ProbeTaken):
            query_loss = event.evaluation.query_loss[:, : config.num_inner_steps + 1]
            losses.append(query_loss.mean(axis=0, dtype="float64"))
            if event.evaluation.step >= num_steps:
                break
    return losses, None
