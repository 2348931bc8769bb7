"""Outer steps a second for each activation of the network; the rest is maml-sine."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack

from tests.bench.child import Child, started
from tests.bench.rounds import interleaved, ratio

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
                given = json.dumps([("model.activation", activation)])
                module = [sys.executable, "-m", "tests.bench.scaling_child"]
                child = Child(stack.enter_context(started([*module, provider, given])))
                ways[f"{activation} {provider}"] = _round(child, seconds)
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


def _round(child: Child, seconds: float) -> Callable[[], float]:
    return lambda: child.rate(seconds)
