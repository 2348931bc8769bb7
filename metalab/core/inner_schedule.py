"""Schedule by which training's inner loop grows into its set values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerSchedule:
    """A ramp of the inner lr and of K; it depends on the outer step alone.

    Attributes:
        ramp_steps: Outer steps until the set values are reached; 0 has no ramp.
        lr_start_factor: What the inner lr is multiplied by at outer step 0; from there
            it moves geometrically, since a rate is felt in ratios.
        num_steps_start: K at outer step 0, from where it moves linearly; 0 starts at the
            set K.
    """

    ramp_steps: int = 0
    lr_start_factor: float = 1.0
    num_steps_start: int = 0

    def at(self, step: int, num_inner_steps: int) -> tuple[float, int]:
        """Return what the inner lr is multiplied by, and K.

        Args:
            step: Outer steps made so far; from `ramp_steps` on, the set values hold.
            num_inner_steps: The set K.
        """
        if step >= self.ramp_steps:
            return 1.0, num_inner_steps
        progress = step / self.ramp_steps
        start = self.num_steps_start or num_inner_steps
        count = round(start + (num_inner_steps - start) * progress)
        return self.lr_start_factor ** (1.0 - progress), count
