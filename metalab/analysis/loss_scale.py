"""The scale on which the losses of tasks are told apart. Imports no torch."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import HeldOutTasks

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

DECADES = 2.0
"""A logarithmic scale reaches from this many decades below the worst loss up to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossScale:
    """From an excellent loss to that of predicting zero.

    Attributes:
        best: Loss of a prediction as good as can be told.
        worst: Loss of predicting zero.
        logarithmic: Whether equal ratios, not differences, are equal steps.
    """

    best: float
    worst: float
    logarithmic: bool = True

    @classmethod
    def below(cls, worst: float) -> "LossScale":
        """Return the logarithmic scale up to a loss."""
        return cls(best=worst / 10**DECADES, worst=worst)

    def share(self, loss: float) -> float:
        """Return how bad a loss is, from 0 (excellent) to 1 (as bad as zero)."""
        if not math.isfinite(loss) or self.worst <= self.best:
            return 1.0
        if self.logarithmic and loss <= 0:
            return 0.0
        if self.logarithmic:
            share = 1 + math.log10(loss / self.worst) / DECADES
        else:
            share = (loss - self.best) / (self.worst - self.best)
        return min(max(share, 0.0), 1.0)


def loss_scale(config: "ExperimentConfig", tasks: HeldOutTasks) -> LossScale:
    """Return the scale for the query losses of an experiment's held-out tasks."""
    import torch  # noqa: PLC0415 - torch

    from metalab.core.tasks import Samples  # noqa: PLC0415 - torch

    known, y = tasks.true_curves, tasks.query.y
    # Curves are of the first output alone; a loss may take all outputs together.
    wanted = y if known is None or y.shape[2] > 1 else known[..., None]
    # As the network learns them: of standardised targets, 0 is the mean.
    given = config.tasks.family.build().given_targets(torch.tensor(wanted).double())
    missing = given.isnan().any(dim=2)
    targets = given.masked_fill(missing[..., None], 0.0)
    mask = (~missing).double() if missing.any() else None
    samples = Samples(x=targets, y=targets, mask=mask)
    loss = config.loss_of_queries.build()
    worst = float(loss(torch.zeros_like(targets), samples).mean())
    if config.loss_words.logarithmic:
        return LossScale.below(worst)
    best = float(loss(targets, samples).mean())
    return LossScale(best=best, worst=worst, logarithmic=False)
