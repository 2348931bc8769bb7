"""Interleaved measuring: A B C, A B C, ... so that a busy moment meets every way."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SETTLE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Rate:
    """Rates of one way over the rounds, in steps/s."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def low(self) -> float:
        return min(self.rounds)

    @property
    def high(self) -> float:
        return max(self.rounds)

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({self.low:,.0f}-{self.high:,.0f})"


def interleaved(
    ways: Mapping[str, Callable[[], float]], *, num_rounds: int
) -> dict[str, Rate]:
    """Return the rates of each way; each call of a way measures one round.

    Threads of the way before may spin for a fifth of a second after their work (those of
    OpenMP do): each way is given time to fall asleep, lest the next one pays for it.
    """
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(num_rounds):
        for name, measure in ways.items():
            time.sleep(SETTLE_SECONDS)
            rates[name].append(measure())
    return {name: Rate(tuple(values)) for name, values in rates.items()}


def steps_per_second(step: Callable[[], object], *, seconds: float) -> float:
    """Call `step` for about `seconds` and return its rate."""
    count = 0
    begin = time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        for _ in range(8):
            step()
        count += 8
    return count / elapsed


def ratio(over: Rate, under: Rate) -> float:
    """Return the median of the rounds' ratios: each is taken within one round."""
    return statistics.median(
        a / b for a, b in zip(over.rounds, under.rounds, strict=True)
    )
