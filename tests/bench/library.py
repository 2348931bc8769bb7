"""The library of runs with two thousand files: first look, opening again, filter, sort.

Usage: python -m tests.bench.library [NUMBER OF RUNS]
"""

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.batch.batch import PlannedRun, carry_out
from metalab.runs.library.entry import differing_fields
from metalab.runs.library.filter import parse_filter
from metalab.runs.library.index import INDEX_NAME
from metalab.runs.library.library import Library
from metalab.runs.library.order import grouped, sorted_entries

NUM_RUNS = 2000
PRESETS = ("maml-sine", "fomaml-sine", "reptile-sine", "maml-gapminder")
FILTER = "method:maml inner_lr<0.01 loss<4"


def small_experiment(preset: str, *, num_steps: int = 60) -> ExperimentConfig:
    """Return an experiment whose run takes a moment and a small file."""
    changes = [
        ("outer.num_steps", num_steps),
        ("outer.num_tasks", 2),
        ("model.hidden_sizes", (8,)),
        ("evaluation.every", max(num_steps // 6, 1)),
        ("evaluation.num_tasks", 16),
        ("evaluation.num_queries", 10),
    ]
    return with_overrides(preset_config(preset), changes)


def make_library(folder: Path, count: int, presets: tuple[str, ...] = PRESETS) -> None:
    """Fill a folder with run files: real runs, and copies with other settings.

    Args:
        folder: Where; it is made.
        count: Files in all.
        presets: One real run each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents: list[bytes] = []
    for preset in presets:
        path = folder / f"source-{preset}.metalab"
        planned = PlannedRun(config=small_experiment(preset), path=path)
        carry_out(planned, tell=lambda _: None, stopping=lambda: False)
        contents.append(path.read_bytes())
        path.unlink()
    for number in range(count):
        path = folder / f"run-{number:05d}.metalab"
        path.write_bytes(contents[number % len(contents)])
        _vary(path, number)


def _vary(path: Path, number: int) -> None:
    """Give a copy a seed, an inner learning rate and a time of its own."""
    with closing(sqlite3.connect(path)) as database, database:
        rows = dict(database.execute("SELECT key, value FROM facts"))
        config = json.loads(rows["config"])
        config["run"]["seed"] = number // 40
        config["inner"]["inner_lr"] = 0.001 * (1 + number // len(PRESETS) % 10)
        facts = {
            "config": config,
            "name": f"run {number}",
            "created": f"2026-11-{1 + number % 28:02d}T10:00:00+00:00",
        }
        for key, value in facts.items():
            database.execute(
                "UPDATE facts SET value = ? WHERE key = ?", (json.dumps(value), key)
            )


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(folder: Path) -> dict[str, float]:
    """Return the seconds of everything that is done with the library of a folder."""
    library = Library(folder)
    seconds = {"first look": _timed(library.look)}
    seconds["another look"] = _timed(library.look)
    again = Library(folder)
    seconds["opened again"] = _timed(again.look)
    entries = again.look().entries
    settings = {path for entry in entries for path in entry.config}
    keeps = parse_filter(FILTER, settings)
    seconds["filter"] = _timed(lambda: [e for e in entries if keeps(e)])
    seconds["sort"] = _timed(lambda: sorted_entries(entries, "loss"))
    seconds["group"] = _timed(lambda: grouped(entries))
    seconds["columns"] = _timed(lambda: differing_fields(entries))
    whole = (folder / INDEX_NAME).read_bytes()
    (folder / INDEX_NAME).write_bytes(whole[: len(whole) // 2])
    seconds["rebuilt, index truncated"] = _timed(Library(folder).look)
    return seconds


def main() -> None:
    """Make a library and print what it takes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NUM_RUNS
    with TemporaryDirectory(prefix="metalab-library-") as name:
        folder = Path(name)
        make_library(folder, count)
        # A file younger than its file system's clock tells is read once more.
        time.sleep(2.5)
        print(f"{count:,} runs in {folder}")
        for what, seconds in measure(folder).items():
            print(f"{what:28} {1e3 * seconds:10.1f} ms")


if __name__ == "__main__":
    main()
