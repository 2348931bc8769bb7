"""`metalab train --preset maml-sine` from start to end, beside learn2learn's rate."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metalab.experiment.config import preset_config
from metalab.runs.system.kernels import cache_folder, prepare
from tests.bench.child import Child, started
from tests.bench.engine import write_problem
from tests.bench.install_peers import PYTHON
from tests.bench.rounds import Rate

PEER = "learn2learn"
PEER_SECONDS = 2.0


def measure(
    num_rounds: int, *, num_steps: int | None = None, seconds: float = PEER_SECONDS
) -> list[dict[str, object]]:
    """Return one row each: the whole command, and learn2learn at its measured rate.

    Args:
        num_rounds: How often each is measured, in turns.
        num_steps: Outer steps; those of the preset, which are the paper's, by default.
        seconds: How long learn2learn is measured in a round.
    """
    steps = (
        preset_config("maml-sine").outer.num_steps if num_steps is None else num_steps
    )
    assert prepare("float32", cancelled=bool).ready
    ours: list[tuple[float, float]] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(num_rounds):
            ours.append(_train(Path(name), steps))
            if PYTHON.exists():
                theirs.append(_peer_rate(Path(name), seconds))
    wall = statistics.median(seconds for seconds, _ in ours)
    rows: list[dict[str, object]] = [
        {
            "way": "metalab train --preset maml-sine, from process start to end",
            "outer steps": f"{steps:,}",
            "time": _told(wall),
            "outer steps/s": f"{steps / wall:,.0f}",
            "held-out loss at the end": f"{ours[-1][1]:.3g}",
            "times faster": "",
        }
    ]
    if theirs:
        rate = Rate(tuple(theirs))
        needed = steps / rate.median
        rows[0]["times faster"] = f"{needed / wall:.0f}"
        rows.append(
            {
                "way": f"{PEER}, at its measured rate, steps alone",
                "outer steps": f"{steps:,}",
                "time": _told(needed),
                "outer steps/s": str(rate),
                "held-out loss at the end": "",
                "times faster": "",
            }
        )
    return rows


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _train(home: Path, steps: int) -> tuple[float, float]:
    """Return seconds of the command, and the held-out loss that it ends with."""
    environment = {
        **os.environ,
        "METALAB_HOME": str(home),
        "METALAB_KERNELS": str(cache_folder()),
    }
    command = [sys.executable, "-m", "metalab", "train", "--preset", "maml-sine"]
    command += ["--json", "--set", f"outer.num_steps={steps}"]
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=1200,
        check=True,
    )
    took = time.perf_counter() - begin
    return took, json.loads(done.stdout)["evaluation"]


def _peer_rate(folder: Path, seconds: float) -> float:
    problem = folder / "problem.npz"
    if not problem.exists():
        write_problem(problem)
    child = Path(__file__).parent / "peers" / "child.py"
    command = [str(PYTHON), str(child), PEER, str(problem), "1", "1"]
    with started(command) as process:
        return Child(process).rate(seconds)
