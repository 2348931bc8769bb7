"""Simulate the table assets/data/simulated-pharmacokinetics.csv; no patient is in it.

Run after a change:  python packaging/simulate_pharmacokinetics.py

One compartment with first-order absorption, as in Gibaldi & Perrier 1982, equation 1.96:
a dose of 100 mg by mouth gives after t hours the concentration

    c(t) = dose ka / (V (ka - ke)) (exp(-ke t) - exp(-ka t)).

Absorption ka, elimination ke and volume V differ between subjects, log-normally with
deviations of 0.4, 0.35 and 0.25; a measurement has a relative error of 8 % and one of
0.02 mg/l. Each of 80 subjects is measured 6 to 12 times in 24 hours, at times of its own.
"""

import csv
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent.parent / "assets/data/simulated-pharmacokinetics.csv"
NUM_SUBJECTS, DOSE, HOURS = 80, 100.0, 24.0
TYPICAL = {"ka": (1.2, 0.4), "ke": (0.16, 0.35), "volume": (30.0, 0.25)}
"""Median and deviation of the logarithm: per hour, per hour, litres."""


def main() -> None:
    """Write the table."""
    rng = np.random.default_rng(20_251)
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["subject", "hours", "mg_per_l"])
        for subject in range(1, NUM_SUBJECTS + 1):
            ka, ke, volume = (
                middle * np.exp(spread * rng.normal())
                for middle, spread in TYPICAL.values()
            )
            times = np.sort(rng.uniform(0.25, HOURS, rng.integers(6, 13)))
            scale = DOSE * ka / (volume * (ka - ke))
            level = scale * (np.exp(-ke * times) - np.exp(-ka * times))
            error = 1 + 0.08 * rng.normal(size=len(times))
            measured = level * error + 0.02 * rng.normal(size=len(times))
            for hour, value in zip(times, measured, strict=True):
                writer.writerow(
                    [f"simulated {subject:02d}", f"{hour:.2f}", f"{value:.3f}"]
                )


if __name__ == "__main__":
    main()
