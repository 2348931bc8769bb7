"""Time and memory of an outer step against tasks, K, width and depth, with the fits.

The cost of exact MAML is linear in the tasks of a meta-batch, in K and in the number of
hidden layers, and quadratic in the width of a plain network.
"""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import numpy as np

from metalab.experiment.config import ExperimentConfig
from tests.bench.child import Child, started
from tests.bench.ours_child import experiment
from tests.bench.rounds import Rate, interleaved

SECONDS = 0.5
WIDTH = 40

AXES: dict[str, tuple[str, tuple[int, ...]]] = {
    "tasks": ("outer.num_tasks", (5, 10, 25, 50, 100)),
    "K": ("inner.num_inner_steps", (1, 2, 5, 10, 20)),
    "width": ("model.hidden_sizes", (10, 20, 40, 80, 160)),
    "depth": ("model.hidden_sizes", (1, 2, 3, 4, 6)),
}
"""What is varied, the field it is set by, and the sizes; the rest is maml-sine."""

DEGREES = {"width": 2}
"""Of the polynomial that is fitted, where it is not 1."""


def measure(
    num_rounds: int,
    *,
    seconds: float = SECONDS,
    axes: dict[str, tuple[str, tuple[int, ...]]] = AXES,
    providers: tuple[str, ...] = ("fused", "autodiff"),
) -> list[dict[str, object]]:
    """Return one row for each provider and axis, sizes of an axis taken in turns."""
    return [
        _row(provider, axis, sizes, num_rounds, seconds)
        for provider in providers
        for axis, (_, sizes) in axes.items()
    ]


def changes(axis: str, size: int) -> list[tuple[str, object]]:
    """Return how an experiment is given a size."""
    value: object = size
    if axis == "width":
        value = [size, size]
    elif axis == "depth":
        value = [WIDTH] * size
    return [(AXES[axis][0], value)]


def experiment_of(axis: str, size: int) -> ExperimentConfig:
    """Return the experiment that is measured at a size."""
    return experiment("fused", *changes(axis, size))


def fitted(
    sizes: tuple[int, ...], values: list[float], degree: int
) -> tuple[list[float], float]:
    """Return the coefficients of a least-squares polynomial, constant first, and R^2.

    Residuals are relative, so that the small sizes count as much as the large ones.
    """
    powers = np.vander(np.array(sizes, dtype=float), degree + 1, increasing=True)
    y = np.array(values)
    coefficients, *_ = np.linalg.lstsq(powers / y[:, None], np.ones(len(y)), rcond=None)
    residual = y - powers @ coefficients
    share = 1 - float(np.sum(residual**2) / np.sum((y - y.mean()) ** 2))
    return [float(value) for value in coefficients], share


def _row(
    provider: str, axis: str, sizes: tuple[int, ...], num_rounds: int, seconds: float
) -> dict[str, object]:
    rates, memory = _measured(provider, axis, sizes, num_rounds, seconds)
    times = [1e6 / rate.median for rate in rates]
    degree = DEGREES.get(axis, 1)
    coefficients, share = fitted(sizes, times, degree)
    powers = ["", *(f" {axis}{'²' if n == 2 else ''}" for n in range(1, degree + 1))]
    terms = [
        f"{value:.3g}{power}" for value, power in zip(coefficients, powers, strict=True)
    ]
    return {
        "provider": provider,
        "against": axis,
        "sizes": ", ".join(map(str, sizes)),
        "µs a step": ", ".join(f"{time:,.0f}" for time in times),
        "fit, µs": " + ".join(terms).replace("+ -", "- "),
        "R²": f"{share:.4f}",
        "memory, MB": ", ".join(f"{value:,.0f}" for value in memory),
    }


def _measured(
    provider: str, axis: str, sizes: tuple[int, ...], num_rounds: int, seconds: float
) -> tuple[list[Rate], list[float]]:
    ways: dict[str, Callable[[], float]] = {}
    memory: list[float] = []
    with ExitStack() as stack:
        for size in sizes:
            child = experiment_child(stack, provider, changes(axis, size))
            memory.append(child.said["memory_mb"])
            ways[str(size)] = partial(child.rate, seconds)
        rates = interleaved(ways, num_rounds=num_rounds)
    return list(rates.values()), memory


def experiment_child(
    stack: ExitStack, provider: str, changes: list[tuple[str, object]]
) -> Child:
    """Return maml-sine with changes, ready in a process that ends with the stack."""
    module = [sys.executable, "-m", "tests.bench.scaling_child"]
    return Child(stack.enter_context(started([*module, provider, json.dumps(changes)])))
