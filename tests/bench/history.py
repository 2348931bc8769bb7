"""Memory of the window and time of a frame against the length of the history."""

import json
import statistics
import subprocess
import sys
import tempfile

from tests.bench.xvfb import virtual_screen

LENGTHS = ("1e3", "1e4", "1e5", "1e6", "1e7")
NUM_FRAMES = 100


def measure(
    num_rounds: int, lengths: tuple[str, ...] = LENGTHS, num_frames: int = NUM_FRAMES
) -> list[dict[str, object]]:
    """Return one row for each length of history, medians over some windows."""
    with tempfile.TemporaryDirectory() as home, virtual_screen() as screen:
        environment = {**screen, "METALAB_HOME": home}
        rounds = [_child(lengths, num_frames, environment) for _ in range(num_rounds)]
    rows: list[dict[str, object]] = []
    for taken in zip(*rounds, strict=True):
        figures = {
            label: round(statistics.median(row[key] for row in taken), 1)
            for label, key in _FIGURES.items()
        }
        rows.append({"outer steps": f"{taken[0]['steps']:,}"} | figures)
    return rows


_FIGURES = {
    "frame p50, ms": "frame_p50_ms",
    "frame p95, ms": "frame_p95_ms",
    "zoom, frames/s": "zoom_fps",
    "pan, frames/s": "pan_fps",
    "memory grown, MB": "growth_mb",
}


def _child(
    lengths: tuple[str, ...], num_frames: int, environment: dict[str, str]
) -> list[dict[str, float]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.history_child", str(num_frames), *lengths],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"history_child ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)
