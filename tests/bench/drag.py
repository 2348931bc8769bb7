"""From a move of the pointer to the painted frame: a support point is dragged."""

import json
import statistics
import subprocess
import sys
import tempfile

from tests.bench.xvfb import virtual_screen

WARM_UP = 2.0
SECONDS = 6.0
PROVIDERS = ("auto", "autodiff")
"""Of the run that trains meanwhile."""


def measure(num_rounds: int) -> list[dict[str, object]]:
    """Return one row for each provider; they are taken in turns."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in PROVIDERS}
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        for _ in range(num_rounds):
            for provider in PROVIDERS:
                rounds[provider].append(
                    _child(provider, {**screen, "METALAB_HOME": home})
                )
    return [
        {"run.provider": provider}
        | {
            label: round(statistics.median(drag[key] for drag in drags), 1)
            for label, key in _FIGURES.items()
        }
        for provider, drags in rounds.items()
    ]


_FIGURES = {
    "move to painted K' = 50 curves, p50 ms": "p50_ms",
    "p95 ms": "p95_ms",
    "longest, ms": "max_ms",
    "pictures/s": "pictures_per_second",
    "outer steps/s meanwhile": "steps_per_second",
}


def _child(provider: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench.drag_child"),
            *(provider, str(WARM_UP), str(SECONDS)),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"drag_child ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
