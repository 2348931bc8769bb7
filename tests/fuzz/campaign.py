"""Thousands of spoilt inputs, tried in child processes that may hang, fill up or die."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.trials import READ, REFUSED, Verdict

TARGETS = (
    "runs",
    "codes",
    "experiments",
    "lessons",
    "preferences",
    "bookmarks",
)

MOST_SECONDS = 5.0
"""Of the processor, for one reader of one input."""

MOST_BYTES = 2**30
_PATIENCE_SECONDS = 120.0
"""Without a word, a child hangs: it may share a core with others, and imports torch."""


@dataclass(kw_only=True)
class Report:
    """What became of the inputs of one kind.

    Attributes:
        target: What they are.
        verdicts: One for each.
        seconds: Wall-clock time of all.
    """

    target: str
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    seconds: float = 0.0

    @property
    def faults(self) -> list[Verdict]:
        """Those that were neither read nor refused, took too long, or too much."""
        return [
            verdict
            for verdict in self.verdicts
            if verdict.outcome not in (READ, REFUSED)
            or verdict.seconds > MOST_SECONDS
            or verdict.peak > MOST_BYTES
        ]

    def line(self) -> str:
        """Return one line of a table."""
        outcomes = Counter(verdict.outcome for verdict in self.verdicts)
        slowest = max((v.seconds for v in self.verdicts), default=0.0)
        peak = max((v.peak for v in self.verdicts), default=0)
        kinds = len({verdict.kind for verdict in self.verdicts})
        return (
            f"{self.target:<12} {len(self.verdicts):>7,} {kinds:>5} "
            f"{outcomes[REFUSED]:>8,} {outcomes[READ]:>6,} {len(self.faults):>6} "
            f"{slowest:>9.2f} {peak / 2**20:>8,.0f} {self.seconds:>8,.0f}"
        )


HEADING = (
    "target        inputs kinds  refused   read faults slowest/s peak/MiB  seconds"
)


def campaign(
    target: str, *, seed: int, count: int, folder: Path, processes: int = 1
) -> Report:
    """Try `count` inputs, numbered from 0; the same seed makes the same ones.

    Args:
        target: One of `TARGETS`, or "texts" for a little of all but run files.
        seed: Of the inputs.
        count: How many.
        folder: For what they are written to.
        processes: How many at a time.
    """
    began = time.perf_counter()
    shares = [range(start, count, processes) for start in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        parts = pool.map(lambda share: _tried(target, seed, share, folder), shares)
        verdicts = [verdict for part in parts for verdict in part]
    verdicts.sort(key=lambda verdict: verdict.index)
    seconds = time.perf_counter() - began
    return Report(target=target, verdicts=verdicts, seconds=seconds)


def _tried(target: str, seed: int, share: Sequence[int], folder: Path) -> list[Verdict]:
    verdicts: list[Verdict] = []
    while len(verdicts) < len(share):
        left = share[len(verdicts) :]
        found, ending = _one_child(target, seed, left, folder)
        verdicts += found
        if len(found) < len(left) and not _swelled(found):
            verdicts.append(_lost(left[len(found)], ending))
    return verdicts


def _swelled(found: Sequence[Verdict]) -> bool:
    """Whether a child has ended itself, so that the next one is measured afresh."""
    return bool(found) and found[-1].peak > MOST_BYTES


def _lost(index: int, ending: str) -> Verdict:
    return Verdict(
        index=index, kind="", outcome=ending, details="", seconds=0.0, peak=0
    )


def _one_child(
    target: str, seed: int, indices: Sequence[int], folder: Path
) -> tuple[list[Verdict], str]:
    """Return what a child says of its inputs, and how it ended."""
    name = f"{target}-{indices[0]}"
    words = [target, str(seed), str(folder / name), *map(str, indices)]
    errors = folder / f"{name}.stderr"
    with errors.open("w", encoding="utf-8", errors="replace") as stream:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(words))
        child.stdin.close()
        verdicts: list[Verdict] = []
        watchdog = threading.Timer(_PATIENCE_SECONDS, child.kill)
        watchdog.start()
        for line in child.stdout:
            watchdog.cancel()
            verdicts.append(Verdict(**json.loads(line)))
            watchdog = threading.Timer(_PATIENCE_SECONDS, child.kill)
            watchdog.start()
        watchdog.cancel()
        child.stdout.close()
        code = child.wait()
    said = errors.read_text(encoding="utf-8", errors="replace")[-1500:]
    return verdicts, f"the process ended with {code}: {said}"
