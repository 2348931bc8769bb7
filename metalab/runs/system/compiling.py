"""Progress of the compiler of the kernels. Imports no compiler."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compiling:
    """Progress of the compiler of the kernels.

    Attributes:
        share: Done of the work, from 0 to 1.
        name: The function that was done last; "" for none.
        seconds: Since the run waits for it.
        needed: Whether the run cannot begin without.
    """

    share: float
    name: str
    seconds: float
    needed: bool = False

    @property
    def seconds_left(self) -> float | None:
        """Seconds to go if it goes on as it did; None while that cannot be told."""
        if self.share < _SHARE_THAT_TELLS:
            return None
        return self.seconds * (1 - self.share) / self.share


_SHARE_THAT_TELLS = 0.05
