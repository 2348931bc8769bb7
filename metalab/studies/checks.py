"""Statements about several numbers of a study, and their verdicts."""

import math

import numpy as np

from metalab.engine.statistics import mean_interval, standard_error
from metalab.studies.base import Check, Finding
from metalab.studies.series import Key, Results, ours_at

Place = tuple[str, str, float]
"""Method, protocol, and the point of the series."""


def ratio(
    name: str, claim: str, *, of: Place, to: Place, low: float, high: float = math.inf
) -> Check:
    """Return the check that one mean over another lies in a range."""

    def judge(results: Results) -> Finding:
        found = _mean(results, of) / _mean(results, to)
        return Finding(
            holds=low <= found <= high, words=f"{found:.3g} times ({_range(low, high)})"
        )

    return Check(name=name, claim=claim, needs=_keys(of, to), judge=judge)


def less(name: str, claim: str, *, of: Place, than: Place) -> Check:
    """Return the check that one mean lies below another."""

    def judge(results: Results) -> Finding:
        left, right = _mean(results, of), _mean(results, than)
        sign = "<" if left < right else ">="
        return Finding(holds=left < right, words=f"{left:.3g} {sign} {right:.3g}")

    return Check(name=name, claim=claim, needs=_keys(of, than), judge=judge)


def mean_below(name: str, claim: str, *, of: Place, bound: float) -> Check:
    """Return the check that one mean lies below a bound."""

    def judge(results: Results) -> Finding:
        found = _mean(results, of)
        return Finding(holds=found < bound, words=f"{found:.3g}, bound {bound:g}")

    return Check(name=name, claim=claim, needs=_keys(of), judge=judge)


def floor(name: str, claim: str, *, of: Place, bound: float) -> Check:
    """Return the check that nothing is better than possible.

    Differs only where the mean lies more than three standard errors below the bound. A
    bound holds for every network, so the error is over the tasks of these networks.
    """

    def judge(results: Results) -> Finding:
        values = results[of[0], of[1]].column(of[2]).astype(np.float64)
        mean, error = float(values.mean()), float(standard_error(values))
        return Finding(
            holds=mean + 3 * error >= bound,
            words=f"{mean:.4g}, standard error over tasks {error:.2g}, bound {bound:g}",
        )

    return Check(name=name, claim=claim, needs=_keys(of), judge=judge)


def never_rises(name: str, claim: str, *, of: Key) -> Check:
    """Return the check that a series does not rise from one point to the next.

    A rise counts where the 95 % interval of the mean difference, task by task over the
    tasks of these networks, is above 0, or where there is none and the mean rises.
    """

    def judge(results: Results) -> Finding:
        series = results[of]
        values = np.concatenate(series.values).astype(np.float64)
        exploded = ~np.isfinite(values).all(axis=1)
        if exploded.any():
            count = int(exploded.sum())
            return Finding(
                holds=False, words=f"{count} of {len(values)} tasks exploded"
            )
        rises = np.diff(values, axis=1)
        mean, low, _ = mean_interval(rises)
        bad = series.points[1:][np.where(np.isnan(low), mean, low) > 0]
        if len(bad) == 0:
            return Finding(holds=True, words="no rise beyond its interval")
        return Finding(
            holds=False, words="rises at " + ", ".join(f"{at:g}" for at in bad)
        )

    return Check(name=name, claim=claim, needs=(of,), judge=judge)


def median_below(name: str, claim: str, *, of: Place, bound: float) -> Check:
    """Return the check that the task in the middle lies below a bound."""

    def judge(results: Results) -> Finding:
        found = float(np.median(results[of[0], of[1]].column(of[2])))
        return Finding(
            holds=found < bound, words=f"median {found:.3g}, bound {bound:g}"
        )

    return Check(name=name, claim=claim, needs=_keys(of), judge=judge)


def _mean(results: Results, place: Place) -> float:
    method, protocol, at = place
    return ours_at(results[method, protocol], at).mean


def _keys(*places: Place) -> tuple[Key, ...]:
    return tuple((method, protocol) for method, protocol, _ in places)


def _range(low: float, high: float) -> str:
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
