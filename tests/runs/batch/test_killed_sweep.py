"""Sweeps killed at random moments: the same runs, nothing twice, nothing lost."""

from pathlib import Path

import pytest

from metalab.cli.main import run
from tests.support.sweep_kills import KilledSweep, assert_same_folder, check_journal

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="finds children in /proc"
)

KINDS = ("worker", "runner", "everything")
NUM_STEPS = 400

SWEEP = f"""
name = "killed"
seeds = 2
[settings]
"outer.num_steps" = {NUM_STEPS}
"outer.num_tasks" = 4
"model.hidden_sizes" = [8]
"evaluation.num_tasks" = 16
"evaluation.every" = 100
"run.provider" = "autodiff"
[axes]
method = ["maml-sine", "fomaml-sine", "reptile-sine"]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture
def whole(file, tmp_path, capsys):
    folder = tmp_path / "whole"
    assert run(["sweep", str(file), "--out", str(folder), "--jobs", "1"]) == 0
    capsys.readouterr()
    return folder


def kill_often(
    file, whole, tmp_path, *, num_kills, most_seconds, kinds=KINDS, on_cluster=False
):
    """Kill one sweep after the other until there were so many kills; return steps lost."""
    kills, lost, number = 0, 0, 0
    while kills < num_kills:
        folder = tmp_path / f"cut{number}"
        cut = KilledSweep(file, folder, seed=number, on_cluster=on_cluster)
        try:
            ended = False
            while not ended and kills + cut.num_kills < num_kills:
                ended = cut.kill_once(kinds, most_seconds=most_seconds)
            if not ended:
                cut.finish()
        finally:
            cut.close()
        assert_same_folder(whole, cut.folder)
        lost += check_journal(cut.journal, NUM_STEPS)
        kills += cut.num_kills
        number += 1
    return lost


def test_a_sweep_killed_three_times_is_the_same_sweep(file, whole, tmp_path):
    kill_often(file, whole, tmp_path, num_kills=3, most_seconds=0.4)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_a_sweep_killed_fifty_times_is_the_same_sweep(file, whole, tmp_path):
    lost = kill_often(file, whole, tmp_path, num_kills=50, most_seconds=0.6)
    print(f"{lost} steps were computed again")
