"""Outer steps a second for each activation of the network; the rest is maml-sine."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from tests.bench.rounds import interleaved, ratio
from tests.bench.scaling import experiment_child

ACTIVATIONS = ("relu", "tanh", "sine")
SECONDS = 0.5


def measure(
    num_rounds: int,
    *,
    seconds: float = SECONDS,
    activations: tuple[str, ...] = ACTIVATIONS,
) -> list[dict[str, object]]:
    """Return one row for each activation; all ways are taken in turns."""
    ways: dict[str, Callable[[], float]] = {}
    with ExitStack() as stack:
        for activation in activations:
            for provider in ("fused", "autodiff"):
                changes: list[tuple[str, object]] = [("model.activation", activation)]
                child = experiment_child(stack, provider, changes)
                ways[f"{activation} {provider}"] = partial(child.rate, seconds)
        rates = interleaved(ways, num_rounds=num_rounds)
    rows: list[dict[str, object]] = []
    for activation in activations:
        fused, autodiff = (
            rates[f"{activation} {provider}"] for provider in ("fused", "autodiff")
        )
        rows.append(
            {
                "activation": activation,
                "kernels, outer steps/s": str(fused),
                "autodiff, outer steps/s": str(autodiff),
                "kernels over autodiff": round(ratio(fused, autodiff), 2),
                "kernels over relu": round(
                    ratio(fused, rates[f"{activations[0]} fused"]), 2
                ),
            }
        )
    return rows
