from dataclasses import replace

import numpy as np
import pytest

from metalab.figures.smooth import smoothed
from metalab.runs.record.history import RunHistory
from metalab.ui.workspaces.live.loss_track import LossTracks
from tests.support.histories import cut, make_history

NAME = "outer_loss"


@pytest.fixture(scope="module")
def whole() -> RunHistory:
    return make_history(6000)


def fresh(history: RunHistory, *, log: bool = True, num_columns: int = 256):
    tracks = LossTracks((NAME,))
    tracks.follow(history, log=log, num_columns=num_columns)
    return tracks[NAME]


def assert_same(track, other) -> None:
    np.testing.assert_array_equal(track.raw, other.raw)
    np.testing.assert_array_equal(track.raw_rows(None), other.raw_rows(None))
    for share in (0.0, 0.05):
        mine, theirs = track.whole(share), other.whole(share)
        np.testing.assert_array_equal(mine.rows, theirs.rows)
        np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-12)


def test_following_a_run_equals_seeing_it_at_once(whole: RunHistory):
    tracks = LossTracks((NAME,))
    for num_rows in (0, 1, 7, 700, 701, 2500, 6000):
        tracks.follow(cut(whole, num_rows), log=True, num_columns=256)
        tracks[NAME].raw_rows(None)
    assert_same(tracks[NAME], fresh(whole))
    average = tracks[NAME].whole(0.05)
    expected = smoothed(whole.metrics[NAME], whole.steps, 0.05, log=True)
    np.testing.assert_allclose(average.values, expected[average.rows], rtol=1e-12)


def test_a_run_that_went_back_is_read_again(whole: RunHistory):
    """Truncated after a divergence, and longer again before the next look."""
    tracks = LossTracks((NAME,))
    tracks.follow(cut(whole, 3000), log=True, num_columns=256)
    metrics = {name: y.copy() for name, y in whole.metrics.items()}
    for y in metrics.values():
        y[2000:] *= 2
    other = replace(whole, metrics=metrics)
    tracks.follow(cut(other, 4000), log=True, num_columns=256)
    assert_same(tracks[NAME], fresh(cut(other, 4000)))


def test_a_shorter_run_is_read_again(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, log=True, num_columns=256)
    tracks.follow(cut(whole, 100), log=True, num_columns=256)
    assert len(tracks[NAME].raw) == len(tracks[NAME].whole(0.05).rows) == 100


def test_another_run_is_read_anew(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, log=True, num_columns=256)
    other = make_history(6500)
    tracks.follow(other, log=True, num_columns=256)
    assert_same(tracks[NAME], fresh(other))


def test_another_scale_averages_all_rows_again(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, log=False, num_columns=256)
    tracks.follow(whole, log=True, num_columns=256)
    assert_same(tracks[NAME], fresh(whole))


def test_another_width_chooses_other_rows(whole: RunHistory):
    tracks = LossTracks((NAME,))
    tracks.follow(whole, log=True, num_columns=1024)
    many = len(tracks[NAME].raw_rows(None))
    tracks.follow(whole, log=True, num_columns=256)
    assert len(tracks[NAME].raw_rows(None)) <= 512 < many
    assert_same(tracks[NAME], fresh(whole))


def test_a_window_has_all_its_rows_where_there_is_room(whole: RunHistory):
    track = fresh(whole)
    rows = track.raw_rows(slice(1000, 1300))
    np.testing.assert_array_equal(rows, np.arange(1000, 1300))
    few = track.points_of(track.average(0.05, slice(0, 5000)))
    assert len(few) <= 129


@pytest.mark.parametrize("log", [False, True])
def test_a_window_is_smoothed_over_a_share_of_itself(whole: RunHistory, log):
    """With what is near it but out of sight, and as if the run had only this part."""
    track = fresh(whole, log=log)
    average = track.average(0.1, slice(1000, 1400))
    part = slice(1000 - 20, 1400 + 20)
    steps, values = whole.steps[part], whole.metrics[NAME][part]
    expected = smoothed(values, steps, 0.1 * 400 / 440, log=log)
    np.testing.assert_allclose(average.at(steps), expected, rtol=1e-12)
    # The whole run is smoothed more, and is not changed by looking closer.
    assert_same(track, fresh(whole, log=log))


def test_a_window_follows_the_run(whole: RunHistory):
    tracks = LossTracks((NAME,))
    for num_rows in (3000, 3001, 3600, 5000):
        tracks.follow(cut(whole, num_rows), log=True, num_columns=256)
        seen = slice(2900, 4000)
        mine = tracks[NAME].average(0.05, seen)
        theirs = fresh(cut(whole, num_rows)).average(0.05, seen)
        np.testing.assert_array_equal(mine.rows, theirs.rows)
        np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-12)
