"""From a dragged point, or a moved playhead, to the painted curves, beside a run."""

import json
import statistics
import subprocess
import sys
import tempfile

from tests.bench.xvfb import virtual_screen

PROVIDERS = ("auto", "autodiff")
"""Of the run that trains meanwhile."""


def measure(num_rounds: int, count: int = 120) -> list[dict[str, object]]:
    """Return one row for each provider; they are taken in turns."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in PROVIDERS}
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        environment = {**screen, "METALAB_HOME": home}
        for _ in range(num_rounds):
            for provider in PROVIDERS:
                rounds[provider].append(_child(provider, count, environment))
    return [
        {"run.provider": provider}
        | {
            label: round(statistics.median(found[key] for found in taken), 1)
            for label, key in _FIGURES.items()
        }
        for provider, taken in rounds.items()
    ]


_FIGURES = {
    "drag to painted K' = 50 curves, p50 ms": "drag_p50_ms",
    "drag p95 ms": "drag_p95_ms",
    "scrub to painted gallery, p50 ms": "scrub_p50_ms",
    "scrub p95 ms": "scrub_p95_ms",
}


def _child(provider: str, count: int, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.moments_child", provider, str(count)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"moments_child ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
