"""The whole campaign, as a table; ends with 1 if anything went wrong."""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.campaign import HEADING, TARGETS, campaign


def main() -> int:
    """Run the campaign that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--count", type=int, default=10_000, help="run files")
    parser.add_argument("--others", type=int, default=1500, help="of each other target")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--targets", nargs="*", default=list(TARGETS), choices=TARGETS)
    asked = parser.parse_args()
    print(f"seed {asked.seed}\n{HEADING}", flush=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for target in asked.targets:
            count = asked.count if target == "runs" else asked.others
            report = campaign(
                target,
                seed=asked.seed,
                count=count,
                folder=Path(folder),
                processes=asked.processes,
            )
            print(report.line(), flush=True)
            wrong += len(report.faults)
            seen: Counter[str] = Counter()
            for verdict in report.faults:
                seen[verdict.outcome] += 1
                if seen[verdict.outcome] == 1:
                    print(f"  {verdict.index} {verdict.kind}: {verdict.outcome}")
                    print(
                        f"    {verdict.seconds:.1f} s, {verdict.peak / 2**20:.0f} MiB"
                    )
                    print("    " + verdict.details.replace("\n", "\n    "))
            for outcome, times in seen.most_common():
                print(f"  {times:>5} x {outcome[:150]}")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
