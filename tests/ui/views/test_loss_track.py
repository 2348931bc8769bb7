from dataclasses import replace

import numpy as np
import pytest

from metalab.figures.smooth import smoothed
from metalab.runs.history import RunHistory
from metalab.ui.views.loss_track import LossTracks
from tests.ui.views.histories import cut, make_history

NAME = "outer_loss"


@pytest.fixture(scope="module")
def whole() -> RunHistory:
    return make_history(6000)


def fresh(history: RunHistory, *, weight: float = 0.9, num_columns: int = 256):
    tracks = LossTracks((NAME,))
    tracks.follow(history, weight=weight, num_columns=num_columns)
    return tracks[NAME]


def assert_same(track, other) -> None:
    np.testing.assert_array_equal(track.raw, other.raw)
    np.testing.assert_allclose(track.smooth, other.smooth, rtol=1e-12)
    np.testing.assert_array_equal(track.raw_rows(None), other.raw_rows(None))
    np.testing.assert_array_equal(track.smooth_rows(None), other.smooth_rows(None))


def test_following_a_run_equals_seeing_it_at_once(whole: RunHistory):
    tracks = LossTracks((NAME,))
    for num_rows in (0, 1, 7, 700, 701, 2500, 6000):
        tracks.follow(cut(whole, num_rows), weight=0.9, num_columns=256)
        tracks[NAME].raw_rows(None)
    assert_same(tracks[NAME], fresh(whole))
    np.testing.assert_allclose(
        tracks[NAME].smooth, smoothed(whole.metrics[NAME], 0.9), rtol=1e-12
    )


def test_a_run_that_went_back_is_read_again(whole: RunHistory):
    """Truncated after a divergence, and longer again before the next look."""
    tracks = LossTracks((NAME,))
    tracks.follow(cut(whole, 3000), weight=0.9, num_columns=256)
    metrics = {name: y.copy() for name, y in whole.metrics.items()}
    for y in metrics.values():
        y[2000:] *= 2
    other = replace(whole, metrics=metrics)
    tracks.follow(cut(other, 4000), weight=0.9, num_columns=256)
    assert_same(tracks[NAME], fresh(cut(other, 4000)))


def test_a_shorter_run_is_read_again(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, weight=0.9, num_columns=256)
    tracks.follow(cut(whole, 100), weight=0.9, num_columns=256)
    assert len(tracks[NAME].raw) == len(tracks[NAME].smooth) == 100


def test_another_run_is_read_anew(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, weight=0.9, num_columns=256)
    other = make_history(6500)
    tracks.follow(other, weight=0.9, num_columns=256)
    assert_same(tracks[NAME], fresh(other))


def test_another_weight_smooths_all_rows_again(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, weight=0.5, num_columns=256)
    tracks.follow(whole, weight=0.9, num_columns=256)
    assert_same(tracks[NAME], fresh(whole))


def test_another_width_chooses_other_rows(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, weight=0.9, num_columns=1024)
    many = len(tracks[NAME].raw_rows(None))
    tracks.follow(whole, weight=0.9, num_columns=256)
    assert len(tracks[NAME].raw_rows(None)) <= 512 < many
    assert_same(tracks[NAME], fresh(whole))


def test_a_window_has_all_its_rows_where_there_is_room(whole: RunHistory):
    track = fresh(whole)
    rows = track.raw_rows(slice(1000, 1300))
    np.testing.assert_array_equal(rows, np.arange(1000, 1300))
    assert len(track.smooth_rows(slice(0, 5000))) <= 128
