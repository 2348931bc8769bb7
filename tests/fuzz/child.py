"""Tries some inputs and says a line of JSON about each."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.fork import fork
from metalab.runs.running.run import run_experiment
from tests.fuzz import trials
from tests.fuzz.campaign import MOST_BYTES
from tests.support.stored import StopAfter, run_to


def small_run(folder: Path) -> Path:
    """Make a run that has everything a run file can hold."""
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 20),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_queries", 10),
            ("evaluation.num_inner_steps", 3),
            ("evaluation.every", 10),
            ("diagnostics.every", 10),
            ("run.provider", "autodiff"),
        ],
    )
    run_to(folder / "parent.metalab", config)
    state = open_run(folder / "parent.metalab").checkpoint
    assert state is not None
    longer = with_overrides(config, [("outer.num_steps", 60)])
    path = folder / "base.metalab"
    control = RunControl()
    control.edit("inner.inner_lr", 0.02)
    run_experiment(
        LiveRun(longer, path=path),
        control,
        fork=fork(longer, config, state),
        sinks=[StopAfter(control, 30)],
    )
    return path


def main() -> None:
    """Read what to do from stdin; end early once too much memory has been held."""
    target, seed, name, *indices = json.load(sys.stdin)
    folder = Path(name)
    folder.mkdir(parents=True)
    os.environ["METALAB_HOME"] = str(folder / "home")
    made = {
        "runs": lambda: trials.RunFiles(small_run(folder)),
        "codes": trials.ShareCodes,
        "experiments": trials.Experiments,
        "lessons": trials.Lessons,
        "preferences": trials.KeptPreferences,
        "bookmarks": trials.KeptBookmarks,
        "texts": trials.Texts,
    }[target]()
    # What a command prints must not come between the lines.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for index in map(int, indices):
        verdict = trials.tried(made, index, int(seed), folder / f"input-{index}")
        print(json.dumps(asdict(verdict)), file=lines, flush=True)
        if verdict.peak > MOST_BYTES:
            break


if __name__ == "__main__":
    main()
