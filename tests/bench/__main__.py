"""`make bench`: measure, print, and write tests/bench/results/bench.{json,md}."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from metalab.runs.environment import environment
from tests.bench import drag, engine, history, moments, startup, window

RESULTS = Path(__file__).parent / "results"

BENCHES: dict[str, tuple[str, Callable[[int], list[dict[str, object]]]]] = {
    "engine": (
        "Outer steps: meta-gradient, metrics and Adam, one thread",
        engine.measure,
    ),
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
    results = {
        name: measure(options.rounds)
        for name, (_, measure) in BENCHES.items()
        if not options.only or name in options.only
    }
    text = "\n\n".join(table(BENCHES[name][0], rows) for name, rows in results.items())
    print(text)
    RESULTS.mkdir(exist_ok=True)
    report = {"environment": dict(environment()), "results": results}
    (RESULTS / "bench.json").write_text(json.dumps(report, indent=1))
    (RESULTS / "bench.md").write_text(text + "\n")
    print(f"\nWrote {RESULTS}/bench.json and bench.md")


def table(title: str, rows: list[dict[str, object]]) -> str:
    """Return rows as a Markdown table under a heading."""
    heads = list(rows[0])
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    lines += [f"| {' | '.join(str(row[head]) for head in heads)} |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
