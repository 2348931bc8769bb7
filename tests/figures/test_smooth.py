import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from metalab.figures.smooth import MOST_BLOCKS, BlockSums, smoothed

VALUES = npst.arrays(
    np.float64,
    st.integers(1, 2000),
    elements=st.floats(1e-9, 1e30) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


def steps_of(values: np.ndarray) -> np.ndarray:
    return np.arange(1.0, len(values) + 1)


def direct(values: np.ndarray, share: float, *, log: bool) -> np.ndarray:
    """The definition, term by term: a triangle of weights around each row."""
    known = np.isfinite(values) & ((values > 0) | (not log))
    scaled = np.log(values, where=known, out=np.zeros(len(values))) if log else values
    half = share * len(values) / 2
    result = np.full(len(values), np.nan)
    for row in range(len(values)):
        away = np.abs(np.arange(len(values)) - row)
        near = known & (away <= half)
        if near.any():
            mean = np.average(scaled[near], weights=1 - away[near] / (half + 1))
            result[row] = np.exp(mean) if log else mean
    return result


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("share", [0.005, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("num_rows", [1, 2, 100, MOST_BLOCKS])
def test_is_the_weighted_mean_around_each_step(num_rows, share, log):
    values = np.random.default_rng(0).lognormal(sigma=2, size=num_rows)
    found = smoothed(values, steps_of(values), share, log=log)
    np.testing.assert_allclose(found, direct(values, share, log=log), rtol=1e-12)


@pytest.mark.parametrize("log", [False, True])
def test_a_long_series_is_averaged_over_blocks(log):
    """Each value of a block counts as if it stood in the middle of it."""
    size, num_blocks = 16, 400
    values = np.random.default_rng(1).lognormal(size=(num_blocks, size))
    means = np.exp(np.log(values).mean(axis=1)) if log else values.mean(axis=1)
    found = smoothed(values.ravel(), steps_of(values.ravel()), 0.05, log=log)
    middle = found.reshape(num_blocks, size)[:, (size - 1) // 2]
    exact = direct(means, 0.05, log=log)
    np.testing.assert_allclose(middle[1:-1], exact[1:-1], rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    values=VALUES,
    share=st.sampled_from([0.005, 0.02, 0.05, 0.2, 0.5]),
    log=st.booleans(),
)
def test_lies_within_the_raw_values_of_its_span(values, share, log):
    """Also behind an outlier that is thirty orders of magnitude larger."""
    blocks = BlockSums(log=log)
    blocks.extend(values, steps_of(values))
    average = blocks.average(share)
    size = 1
    while len(values) > MOST_BLOCKS * size:
        size *= 2
    reach = int(share * len(values) / 2) + 2 * size
    for row, found in zip(average.rows, average.values, strict=True):
        near = values[max(0, row - reach) : row + reach + 1]
        near = near[np.isfinite(near)]
        if np.isfinite(found):
            assert near.min() * (1 - 1e-9) <= found <= near.max() * (1 + 1e-9)


@settings(max_examples=50)
@given(
    values=VALUES,
    pieces=st.lists(st.integers(0, 500), max_size=8),
    first=st.integers(1, 3000),
    log=st.booleans(),
)
def test_growing_bit_by_bit_gives_the_same_average(values, pieces, first, log):
    steps = first - 1 + steps_of(values)
    grown, at_once = BlockSums(log=log), BlockSums(log=log)
    for end in [*np.minimum(np.cumsum(pieces), len(values)).astype(int), len(values)]:
        grown.extend(values[:end], steps[:end])
    at_once.extend(values, steps)
    mine, whole = grown.average(0.05), at_once.average(0.05)
    np.testing.assert_array_equal(mine.rows, whole.rows)
    np.testing.assert_allclose(mine.values, whole.values, rtol=1e-9)


def test_a_fast_fall_is_not_drawn_above_itself():
    """As alpaca-sine at step 100: an average of the past stood at three times both."""
    rng = np.random.default_rng(3)
    steps = np.arange(1.0, 101)
    values = 4 * np.exp(-steps / 12) * rng.lognormal(sigma=0.1, size=100) + 0.02
    found = smoothed(values, steps, 0.05, log=True)
    assert np.abs(np.log(found / values)).max() < 0.4
    assert found[-1] < 1.2 * values[-10:].max()


def test_gaps_neither_spread_nor_pull():
    values = np.array([np.nan, 2.0, np.nan, np.inf, 4.0, 4.0, -1.0, 0.0])
    found = smoothed(values, steps_of(values), 0.2, log=True)
    assert np.isnan(found[[0, 6, 7]]).all()
    np.testing.assert_allclose(found[[1, 4, 5]], [2.0, 4.0, 4.0])
    # Between two values an axis of this scale draws a straight line.
    np.testing.assert_allclose(found[2:4], 2 * 2 ** (np.array([1, 2]) / 3))


def test_a_constant_stays_itself_and_nothing_stays_nothing():
    sevens = np.full(3000, 7.0)
    for log in (False, True):
        np.testing.assert_allclose(smoothed(sevens, steps_of(sevens), 0.2, log=log), 7)
    assert len(smoothed(np.empty(0), np.empty(0), 0.2, log=True)) == 0
    all_nan = np.full(5, np.nan)
    assert np.isnan(smoothed(all_nan, steps_of(all_nan), 0.2, log=False)).all()


def test_no_share_gives_the_values():
    values = np.array([3.0, np.nan, 1.0])
    np.testing.assert_array_equal(
        smoothed(values, steps_of(values), 0, log=True), values
    )
