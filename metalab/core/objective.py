"""The outer loss: the query loss after the last inner step, or over all of them."""

from dataclasses import dataclass

from metalab.core.outer import schedule_factor

OBJECTIVES = ("final", "multi-step")


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterObjective:
    """Which inner steps the outer loss counts, and how that changes over training.

    Attributes:
        loss: "final": the query loss after the last inner step. "multi-step": a weighted
            sum over inner steps 1 ... K, alike at first, annealed to the last one.
        annealing_steps: Outer steps after which only the last inner step counts.

    Source: Antoniou et al. 2019 (MAML++), section 4, "multi-step loss optimization".
    """

    loss: str = "final"
    annealing_steps: int = 5_000

    def weights(self, step: int, num_inner_steps: int) -> tuple[float, ...] | None:
        """Return the weight of the query loss after 0 ... K inner steps.

        Returns:
            K + 1 weights that sum to 1, the first of them zero; None where only the
            last inner step counts.
        """
        if self.loss == "final" or num_inner_steps == 1:
            return None
        share = schedule_factor("linear", step, self.annealing_steps)
        if share == 0.0:
            return None
        each = share / num_inner_steps
        last = 1.0 - each * (num_inner_steps - 1)
        return (0.0, *[each] * (num_inner_steps - 1), last)
