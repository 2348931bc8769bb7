"""A history of any length in bounded memory."""

import numpy as np
import pytest

from metalab.engine.events import METRICS, StepsDone
from metalab.experiment.fields import with_overrides
from metalab.figures.render import render
from metalab.figures.smooth import smoothed
from metalab.runs.record import thinning
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run, whole_rows
from metalab.runs.record.thinning import RowTable
from metalab.ui.workspaces.live.loss_track import LossTracks
from tests.support.stored import run_to

NAME = "outer_loss"
BEFORE = "outer_loss_before"


@pytest.fixture(autouse=True)
def small_tables(monkeypatch):
    """The same code at a 64th of the size."""
    monkeypatch.setattr(thinning, "MOST_ROWS", 4096)
    monkeypatch.setattr(thinning, "RECENT_ROWS", 1024)
    monkeypatch.setattr(thinning, "MOST_BLOCKS", 512)


def losses(num_steps: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    falling = 0.3 + 3 * np.exp(-np.arange(num_steps) / 5000)
    noise = rng.lognormal(sigma=0.4, size=(num_steps, len(METRICS)))
    return falling[:, None] * noise


def live_run(config, metrics: np.ndarray, block: int = 300) -> LiveRun:
    live = LiveRun(config)
    for start in range(0, len(metrics), block):
        event = StepsDone(first_step=start + 1, metrics=metrics[start : start + block])
        live.on_event(event, seconds=0.001 * start)
    return live


@pytest.fixture(scope="module")
def metrics() -> np.ndarray:
    return losses(50_000)


def test_a_short_run_keeps_every_row(config):
    history = live_run(config, losses(4096)).snapshot()
    assert history.thinned == 0
    assert history.steps.tolist() == list(range(1, 4097))
    assert history.spans(NAME) is None


def test_memory_is_bounded_and_the_newest_rows_are_whole(config, metrics):
    history = live_run(config, metrics).snapshot()
    assert history.thinned > 0
    assert len(history.steps) <= 4096
    assert history.steps[0] == 1
    assert history.steps[-1024:].tolist() == list(range(50_000 - 1023, 50_001))
    assert (np.diff(history.steps) > 0).all()


def test_rows_that_are_kept_are_real_ones(config, metrics):
    history = live_run(config, metrics).snapshot()
    rows = history.steps.astype(int) - 1
    for i, info in enumerate(METRICS):
        np.testing.assert_array_equal(history.metrics[info.name], metrics[rows, i])


@pytest.mark.parametrize("name", [NAME, BEFORE])
def test_the_extremes_of_every_stretch_survive(config, metrics, name):
    history = live_run(config, metrics).snapshot()
    column = metrics[:, [info.name for info in METRICS].index(name)]
    size = 256
    block = (history.steps.astype(int) - 1) // size
    for index in range(50_000 // size):
        kept = history.metrics[name][block == index]
        whole = column[index * size : (index + 1) * size]
        assert (kept.min(), kept.max()) == (whole.min(), whole.max())


def test_sums_see_every_step_and_gaps_do_not_count(config, metrics):
    holed = metrics.copy()
    holed[10:20, 0] = np.nan
    holed[3000:9000, 0] = np.inf
    history = live_run(config, holed).snapshot()
    sums = history.sums[NAME]
    known = np.isfinite(holed[:, 0])
    assert sums.number.sum() == sums.log_number.sum() == known.sum()
    assert sums.total.sum() == pytest.approx(holed[known, 0].sum(), rel=1e-12)
    logs = np.log(holed[known, 0])
    assert sums.log_total.sum() == pytest.approx(logs.sum(), rel=1e-12)


def test_an_outlier_takes_no_digits_from_the_sums_behind_it(config, metrics):
    """A running sum would: 1e30 + 1 - 1e30 is 0."""
    wild = metrics.copy()
    wild[100, 0] = 1e30
    history = live_run(config, wild).snapshot()
    later = history.steps > 2000
    found = history.sums[NAME].total[later].sum()
    behind = wild[int(history.steps[~later][-1]) :, 0].sum()
    assert found == pytest.approx(behind, rel=1e-12)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.1])
def test_the_average_is_that_of_every_step(config, metrics, share, log):
    """Nearly: a span that crosses the edge of a block counts where it ends."""
    history = live_run(config, metrics).snapshot()
    steps = np.arange(1.0, len(metrics) + 1)
    exact = smoothed(metrics[:, 0], steps, share, log=log)
    average = smoothed(
        history.metrics[NAME],
        history.steps,
        share,
        log=log,
        spans=history.spans(NAME, log=log),
    )
    rows = history.steps.astype(int) - 1
    np.testing.assert_allclose(average, exact[rows], rtol=0.03)
    constant = live_run(config, np.full_like(metrics, 2.0)).snapshot()
    spans = constant.spans(NAME, log=log)
    flat = smoothed(constant.metrics[NAME], constant.steps, share, log=log, spans=spans)
    np.testing.assert_allclose(flat, 2.0, rtol=1e-12)


def test_training_goes_back_into_thinned_rows(config, metrics):
    live = live_run(config, metrics)
    again = losses(3000, seed=1)
    live.on_event(StepsDone(first_step=20_001, metrics=again), seconds=99.0)
    history = live.snapshot()
    assert history.step == 23_000
    assert history.steps[-3000:].tolist() == list(range(20_001, 23_001))
    assert history.steps[-3001] <= 20_000
    assert history.sums[NAME].number.sum() == pytest.approx(23_000, abs=256)


def test_a_run_that_goes_on_keeps_its_sums(config, metrics):
    past = live_run(config, metrics[:30_000]).snapshot()
    live = LiveRun(config, past=past)
    assert live.snapshot().thinned == past.thinned
    event = StepsDone(first_step=30_001, metrics=metrics[30_000:])
    live.on_event(event, seconds=99.0)
    sums = live.snapshot().sums[NAME]
    assert sums.number.sum() == 50_000
    assert sums.total.sum() == pytest.approx(metrics[:, 0].sum(), rel=1e-12)


def test_a_snapshot_never_changes_when_rows_are_thinned(config, metrics):
    live = live_run(config, metrics[:4000])
    before = live.snapshot()
    kept = before.metrics[NAME].copy()
    live.on_event(StepsDone(first_step=4001, metrics=metrics[4000:9000]), seconds=9.0)
    assert live.snapshot().thinned > before.thinned
    np.testing.assert_array_equal(before.metrics[NAME], kept)


def test_many_rows_at_once_are_as_those_one_by_one(metrics):
    rows = np.concatenate(
        [np.arange(1, 50_001)[:, None], np.zeros((50_000, 1)), metrics], axis=1
    )
    at_once = RowTable(num_tasks=4)
    at_once.append(rows)
    assert len(at_once) <= 4096
    assert at_once.metrics()[NAME].min() == metrics[:, 0].min()
    assert at_once.metrics()[NAME].max() == metrics[:, 0].max()


def test_a_long_run_is_read_thinned_and_exported_whole(config, tmp_path, monkeypatch):
    monkeypatch.setattr(thinning, "MOST_ROWS", 40)
    monkeypatch.setattr(thinning, "RECENT_ROWS", 10)
    monkeypatch.setattr(thinning, "MOST_BLOCKS", 5)
    path = tmp_path / "long.metalab"
    config = with_overrides(config, [("outer.num_steps", 200)])
    live = run_to(path, config)
    read = open_run(path).history
    assert live.snapshot().thinned
    assert read.thinned
    assert len(read.steps) <= 40
    whole = whole_rows(read)
    assert whole.steps.tolist() == list(range(1, 201))
    assert set(read.metrics[NAME]) < set(whole.metrics[NAME])
    assert whole.metrics[NAME].sum() == pytest.approx(read.sums[NAME].total.sum())
    (table,) = render("losses", live.snapshot(), tmp_path / "losses.csv")
    lines = table.read_text().splitlines()
    steps = [int(float(line.split(",")[0])) for line in lines if line[0].isdigit()]
    assert steps == list(range(201))


def test_a_followed_run_is_drawn_as_one_seen_at_once(config, metrics):
    live = LiveRun(config)
    tracks = LossTracks((NAME,))
    for start in range(0, 20_000, 700):
        event = StepsDone(first_step=start + 1, metrics=metrics[start : start + 700])
        live.on_event(event, seconds=1.0)
        tracks.follow(live.snapshot(), log=True, num_columns=128)
        tracks[NAME].raw_rows(None)
        tracks[NAME].whole(0.05)
    fresh = LossTracks((NAME,))
    fresh.follow(live.snapshot(), log=True, num_columns=128)
    raw = fresh[NAME].raw_rows(None)
    np.testing.assert_array_equal(tracks[NAME].raw_rows(None), raw)
    mine, theirs = tracks[NAME].whole(0.05), fresh[NAME].whole(0.05)
    np.testing.assert_array_equal(mine.rows, theirs.rows)
    np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-9)
    assert fresh[NAME].raw[raw].min() == metrics[:20_300, 0].min()
    window = slice(100, 900)
    seen = fresh[NAME].raw_rows(window)
    assert seen[0] >= 100
    assert seen[-1] < 900


WORRY = [info.name for info in METRICS].index("not_positive_definite_solves")


def test_the_first_step_whose_systems_need_a_word_is_known_for_good(config, metrics):
    metrics = metrics.copy()
    metrics[:, WORRY:] = 0.0
    assert live_run(config, metrics).snapshot().solves_worry is None
    metrics[123, WORRY] = 3.0
    metrics[4567, WORRY] = 9.0
    live = live_run(config, metrics)
    worry = live.snapshot().solves_worry
    assert (worry.step, worry.solves.not_positive_definite) == (124, 3)
    assert worry.solves.num_solves == config.outer.num_tasks
    assert LiveRun(config, past=live.snapshot()).snapshot().solves_worry == worry
    again = metrics[124:224]
    live.on_event(StepsDone(first_step=101, metrics=again), seconds=99.0)
    assert live.snapshot().solves_worry is None
