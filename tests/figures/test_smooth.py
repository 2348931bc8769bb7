import numpy as np
import pytest

from metalab.figures.smooth import smoothed


def direct(values: np.ndarray, weight: float) -> np.ndarray:
    """The definition, term by term."""
    result = np.full(len(values), np.nan)
    for t in range(len(values)):
        known = np.isfinite(values[: t + 1])
        weights = weight ** np.arange(t, -1, -1.0)[known]
        if known.any():
            result[t] = (weights * values[: t + 1][known]).sum() / weights.sum()
    return result


@pytest.mark.parametrize("weight", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_is_the_weighted_mean_of_the_past(weight):
    values = np.random.default_rng(0).normal(size=400)
    np.testing.assert_allclose(
        smoothed(values, weight), direct(values, weight), rtol=1e-9, atol=1e-12
    )


def test_blocks_join_without_a_seam():
    # At this weight a block is some 200 rows long.
    values = np.random.default_rng(1).normal(size=1500) + 5
    np.testing.assert_allclose(smoothed(values, 0.3), direct(values, 0.3), rtol=1e-9)


def test_gaps_neither_spread_nor_pull():
    values = np.array([np.nan, 2.0, np.nan, np.inf, 4.0])
    average = smoothed(values, 0.5)
    assert np.isnan(average[0])
    np.testing.assert_allclose(average[1:4], 2.0)
    assert average[4] == pytest.approx((0.125 * 2 + 4) / 1.125)


def test_a_constant_stays_itself_and_nothing_stays_nothing():
    np.testing.assert_allclose(smoothed(np.full(3000, 7.0), 0.95), 7.0)
    assert len(smoothed(np.empty(0), 0.9)) == 0
