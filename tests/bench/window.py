"""Steps a second with the window open under Xvfb, beside the same run without a window."""

import json
import statistics
import subprocess
import sys
import tempfile

from metalab.runs.system.kernels import cache_folder, prepare
from tests.bench.rounds import Rate, ratio
from tests.bench.xvfb import virtual_screen

WARM_UP = 2.0
SECONDS = 5.0


def measure(num_rounds: int) -> list[dict[str, object]]:
    """Return two rows for each provider, headless and window taken in turns."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        environment = {
            **screen,
            "METALAB_HOME": home,
            "METALAB_KERNELS": str(cache_folder()),
        }
        assert prepare("float32", cancelled=bool).ready
        for provider in ("fused", "autodiff"):
            rows += _rows(provider, num_rounds, environment)
    return rows


def _rows(
    provider: str, num_rounds: int, environment: dict[str, str]
) -> list[dict[str, object]]:
    headless: list[dict[str, float]] = []
    window: list[dict[str, float]] = []
    for _ in range(num_rounds):
        headless.append(_child("headless_child", provider, environment))
        window.append(_child("window_child", provider, environment))
    alone = Rate(tuple(round_["steps_per_second"] for round_ in headless))
    beside = Rate(tuple(round_["steps_per_second"] for round_ in window))
    return [
        {
            "way": f"headless thread, {provider}",
            "outer steps/s, median (min-max)": str(alone),
        }
        | dict.fromkeys(_COLUMNS, ""),
        {
            "way": f"window 1280x800, all Live plots, {provider}",
            "outer steps/s, median (min-max)": str(beside),
            "of headless": round(ratio(beside, alone), 3),
            **{
                label: round(statistics.median(round_[key] for round_ in window), 1)
                for label, key in _FIGURES.items()
            },
        },
    ]


_FIGURES = {
    "frames/s": "fps",
    "frame interval p50, ms": "p50_ms",
    "frame interval p99, ms": "p99_ms",
    "pause obeyed, ms": "pause_ms",
}
_COLUMNS = ("of headless", *_FIGURES)


def _child(module: str, provider: str, environment: dict[str, str]) -> dict[str, float]:
    seconds = [str(WARM_UP), str(SECONDS)]
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *seconds, provider],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
