import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from metalab.ui.plot.decimate import Extremes, SpannedExtremes, decimate

VALUES = npst.arrays(
    np.float64,
    st.integers(0, 400),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


@given(y=VALUES, num_columns=st.integers(1, 60))
def test_extremes_order_and_size_survive(y, num_columns):
    x = np.arange(len(y), dtype=float)
    few_x, few_y = decimate(x, y, num_columns)
    assert len(few_x) <= 2 * num_columns
    assert (np.diff(few_x) > 0).all()
    np.testing.assert_array_equal(few_y, y[few_x.astype(int)])
    finite, kept = y[np.isfinite(y)], few_y[np.isfinite(few_y)]
    if len(finite):
        assert kept.min() == finite.min()
        assert kept.max() == finite.max()


@given(y=VALUES, num_columns=st.integers(1, 60))
def test_few_rows_are_all_kept(y, num_columns):
    if len(y) <= 2 * num_columns:
        _, few = decimate(np.arange(len(y), dtype=float), y, num_columns)
        np.testing.assert_array_equal(few, y)


@settings(max_examples=50)
@given(
    y=VALUES,
    num_columns=st.integers(1, 40),
    pieces=st.lists(st.integers(0, 90), max_size=12),
)
def test_growing_bit_by_bit_gives_the_same_extremes(y, num_columns, pieces):
    extremes = Extremes(num_columns)
    for end in [*np.minimum(np.cumsum(pieces), len(y)).astype(int), len(y)]:
        rows = extremes.rows(y[:end])
    at_once = Extremes(num_columns).rows(y)
    np.testing.assert_array_equal(y[rows], y[at_once])


def test_every_block_keeps_its_own_extremes():
    y = np.random.default_rng(0).normal(size=4096)
    rows = Extremes(256).rows(y)
    blocks = y.reshape(256, 16)
    kept = np.zeros(len(y), dtype=bool)
    kept[rows] = True
    assert (np.where(kept, y, np.inf).reshape(256, 16).min(1) == blocks.min(1)).all()
    assert (np.where(kept, y, -np.inf).reshape(256, 16).max(1) == blocks.max(1)).all()


def test_rows_once_chosen_stay_while_rows_are_added():
    y = np.random.default_rng(1).normal(size=1000)
    extremes = Extremes(100)
    # 16 rows are a block from 801 on; whole blocks of the past do not move.
    before = set(extremes.rows(y[:900])[:-2].tolist())
    assert before <= set(extremes.rows(y).tolist())


def test_a_strided_column_is_read_as_it_is():
    table = np.random.default_rng(2).normal(size=(5000, 9))
    column = table[:, 3]
    few_x, few_y = decimate(table[:, 0].cumsum(), column, 100)
    assert len(few_x) <= 200
    assert few_y.max() == column.max()


@settings(max_examples=50)
@given(
    y=VALUES,
    num_columns=st.integers(1, 40),
    pieces=st.lists(st.integers(0, 90), max_size=12),
    seed=st.integers(0, 100),
)
def test_thinned_rows_give_the_same_extremes_bit_by_bit(y, num_columns, pieces, seed):
    gaps = np.random.default_rng(seed).integers(1, 9, len(y))
    steps = np.cumsum(gaps).astype(float)
    extremes = SpannedExtremes(num_columns)
    for end in [*np.minimum(np.cumsum(pieces), len(y)).astype(int), len(y)]:
        rows = extremes.rows(y[:end], steps[:end])
    at_once = SpannedExtremes(num_columns).rows(y, steps)
    np.testing.assert_array_equal(y[rows], y[at_once])
    assert (np.diff(rows) > 0).all()
    finite, kept = y[np.isfinite(y)], y[rows][np.isfinite(y[rows])]
    if len(finite):
        assert (kept.min(), kept.max()) == (finite.min(), finite.max())


def test_crowded_rows_do_not_take_the_columns_of_sparse_ones():
    """Half of the rows stand for the last hundredth of the run."""
    steps = np.append(np.linspace(1, 99_000, 5000).round(), 99_001 + np.arange(5000))
    y = np.random.default_rng(0).normal(size=10_000)
    rows = SpannedExtremes(200).rows(y, steps)
    assert (steps[rows] <= 99_000).mean() > 0.8
