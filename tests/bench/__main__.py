"""`make bench`: measure, print, and write tests/bench/results/bench.{json,md}."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metalab.runs.system.environment import environment
from tests.bench import (
    activations,
    drag,
    engine,
    history,
    moments,
    paper,
    scaling,
    startup,
    window,
)

RESULTS = Path(__file__).parent / "results"

BENCHES: dict[str, tuple[str, Callable[[int], list[dict[str, object]]]]] = {
    "engine": (
        "Outer steps: meta-gradient, metrics and Adam, one thread",
        engine.measure,
    ),
    "paper": ("The paper's 70,000 outer steps, from the command line", paper.measure),
    "scaling": ("Time and memory of an outer step against its sizes", scaling.measure),
    "activations": ("Activations of the network, maml-sine", activations.measure),
    "startup": ("From process start, window under Xvfb", startup.measure),
    "drag": ("A support point is dragged while a run trains", drag.measure),
    "history": ("A run of some length in the window", history.measure),
    "moments": ("Adapting by hand and scrubbing beside a run", moments.measure),
    "window": ("Training beside the open window, default preset", window.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", choices=sorted(BENCHES), action="append")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    results = read_results()
    for name, (title, measure) in BENCHES.items():
        if options.only and name not in options.only:
            continue
        rows = measure(options.rounds)
        print(table(title, rows), end="\n\n", flush=True)
        results[name] = {
            "measured": datetime.now(UTC).astimezone().isoformat(timespec="minutes"),
            "environment": dict(environment()),
            "rows": rows,
        }
        write_results(results)
    print(f"Wrote {RESULTS}/bench.json and bench.md")


def read_results(folder: Path = RESULTS) -> dict[str, Any]:
    """Return what was measured before; nothing of a bench that is gone."""
    path = folder / "bench.json"
    if not path.exists():
        return {}
    return {k: v for k, v in json.loads(path.read_text()).items() if k in BENCHES}


def write_results(results: dict[str, Any], folder: Path = RESULTS) -> None:
    """Write every table, those that were not measured this time too."""
    folder.mkdir(exist_ok=True)
    tables = [
        f"{table(title, results[name]['rows'])}\n\nMeasured {results[name]['measured']}."
        for name, (title, _) in BENCHES.items()
        if name in results
    ]
    (folder / "bench.json").write_text(json.dumps(results, indent=1))
    (folder / "bench.md").write_text("\n\n".join(tables) + "\n")


def table(title: str, rows: list[dict[str, object]]) -> str:
    """Return rows as a Markdown table under a heading."""
    heads = list(rows[0])
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    lines += [f"| {' | '.join(str(row[head]) for head in heads)} |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
