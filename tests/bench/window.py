"""Steps a second with the window open under Xvfb, beside the same run without a window."""

import json
import statistics
import subprocess
import sys
import tempfile

from tests.bench.rounds import Rate, ratio
from tests.bench.xvfb import virtual_screen

WARM_UP = 2.0
SECONDS = 5.0


def measure(num_rounds: int) -> list[dict[str, object]]:
    """Return one row for each way, headless and window taken in turns."""
    headless: list[dict[str, float]] = []
    window: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        environment = {**screen, "METALAB_HOME": home}
        for _ in range(num_rounds):
            headless.append(_child("headless_child", environment))
            window.append(_child("window_child", environment))
    alone = Rate(tuple(round_["steps_per_second"] for round_ in headless))
    beside = Rate(tuple(round_["steps_per_second"] for round_ in window))
    return [
        {"way": "headless thread", "outer steps/s, median (min-max)": str(alone)}
        | dict.fromkeys(_COLUMNS, ""),
        {
            "way": "window 1280x800, all Live plots",
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


def _child(module: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", str(WARM_UP), str(SECONDS)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
