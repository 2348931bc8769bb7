"""From the start of the process to the first paint, to Run, and to the first step."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from metalab.runs.system.kernels import cache_folder
from tests.bench.startup_child import STARTED
from tests.bench.xvfb import virtual_screen

ROUNDS = 10
LIMITS = {"first paint": 1.0, "Run enabled": 3.0, "first step": 3.0}
"""What is promised, in seconds, with a warm disk and compiled kernels."""


def measure(num_rounds: int) -> list[dict[str, object]]:
    """Return one row for each moment; at least ten rounds, after one to warm up."""
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        # The kernels stay where they are compiled once.
        environment = {
            **screen,
            "METALAB_KERNELS": str(cache_folder()),
            "METALAB_HOME": home,
        }
        _child(environment)
        rounds = [_child(environment) for _ in range(max(num_rounds, ROUNDS))]
    return [
        {
            "moment": moment,
            "seconds, median (min-max)": _told([times[moment] for times in rounds]),
            "promised": limit,
        }
        for moment, limit in LIMITS.items()
    ]


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _child(environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.startup_child"],
        env={**os.environ, **environment, STARTED: repr(time.time())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"the window ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
