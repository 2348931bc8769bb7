"""How often intervals hold what they are about: 95 of 100 times, or none is given."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family, build_learner
from metalab.engine.events import Evaluation
from metalab.engine.statistics import (
    interquartile_mean_interval,
    mean_interval,
    median_interval,
    rising,
    seed_interval,
    summarise,
)
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.studies.series import Series, ours_at

NUM_EVALUATIONS = 1_000
STEPS = (0, 1, 5, 10)
COVERS = (0.93, 0.97)
LOOSE = 0.015
"""Twice the standard error of a share of 0.95 of a thousand."""


def share_covered(intervals, truth) -> tuple[float, float]:
    """Return how many of the given intervals hold the truth, and how many are given."""
    _, low, high = intervals
    given = np.isfinite(low)
    holds = (low <= truth) & (truth <= high)
    return float(holds[given].mean()) if given.any() else np.nan, float(given.mean())


@pytest.mark.parametrize("count", [100, 600])
@pytest.mark.parametrize("sigma", [0.3, 0.8])
def test_skewed_losses_whose_mean_is_known(count, sigma):
    """Lognormal: the mean is exp(sigma²/2), the median 1."""
    values = np.random.default_rng(count).lognormal(
        sigma=sigma, size=(count, 2 * NUM_EVALUATIONS)
    )
    middle = np.random.default_rng(9).lognormal(sigma=sigma, size=1_000_000)
    quarters = np.quantile(middle, [0.25, 0.75])
    iqm = middle[(middle > quarters[0]) & (middle < quarters[1])].mean()
    for interval, truth in (
        (mean_interval, np.exp(sigma**2 / 2)),
        (median_interval, 1.0),
        (interquartile_mean_interval, iqm),
    ):
        covered, given = share_covered(interval(values), truth)
        assert given > 0.95
        assert COVERS[0] <= covered <= COVERS[1], interval.__name__


def test_losses_of_an_unstable_inner_loop_have_no_interval_of_their_mean():
    """On L x²/2 with exponential curvature: now and then lr L is above 2.

    The mean after ten steps is a moment of order 20 of lr L, which a thousandth of the
    tasks carries: Student's interval covers it hardly ever.
    """
    rate = np.random.default_rng(0).exponential(scale=0.7, size=(100, NUM_EVALUATIONS))
    loss = (1 - rate[..., None]) ** (2 * np.arange(11))
    truth = np.random.default_rng(1).exponential(scale=0.7, size=4_000_000)
    expected = ((1 - truth) ** 20).mean()
    mean, deviation = loss[..., 10].mean(axis=0), loss[..., 10].std(axis=0, ddof=1)
    half = 1.984 * deviation / 10
    assert (np.abs(mean - expected) <= half).mean() < 0.5
    found = [summarise(loss[:, i], loss[:, i]) for i in range(NUM_EVALUATIONS)]
    given = [np.isfinite(one.mean_low[10]) for one in found]
    assert np.mean(given) < 0.02
    median = np.median((1 - truth) ** 20)
    low, high = (
        np.array([getattr(one, f"median_{end}")[10] for one in found])
        for end in ("low", "high")
    )
    assert COVERS[0] <= ((low <= median) & (median <= high)).mean() <= COVERS[1]


@pytest.mark.parametrize("count", [3, 5])
def test_the_interval_over_seeds_covers_the_method_where_that_over_tasks_does_not(
    count,
):
    """Networks differ by twice what the tasks of one leave open, as measured on sines."""
    draw = np.random.default_rng(count)
    over_seeds = over_tasks = 0
    for _ in range(NUM_EVALUATIONS):
        networks = 0.5 + 0.044 * draw.standard_normal(count)
        losses = networks[:, None] + 0.527 * draw.standard_normal((count, 600))
        found = seed_interval(losses.mean(axis=1))
        over_seeds += found.low <= 0.5 <= found.high
        _, low, high = mean_interval(losses.ravel())
        over_tasks += low <= 0.5 <= high
    low, high = COVERS
    assert low - LOOSE <= over_seeds / NUM_EVALUATIONS <= high + LOOSE
    assert over_tasks / NUM_EVALUATIONS < 0.75


def trained(preset: str, num_steps: int, seed: int):
    """Return experiment and meta-parameters of a network that was trained so long."""
    settings = {
        "outer.num_steps": num_steps,
        "run.seed": seed,
        "evaluation.every": num_steps,
    }
    config = with_overrides(preset_config(preset), list(settings.items()))
    trainer = Trainer(config)
    for _ in trainer.run():
        pass
    return config, torch.tensor(trainer.checkpoint().phi)


def population(config, phi, count: int) -> Evaluation:
    """Return the losses of many fresh tasks, on the compiled kernels."""
    from metalab.core.fused.view import FusedView  # noqa: PLC0415 - compiles

    learner = replace(build_learner(config), fused=True)
    parts = []
    for index in range(-(-count // 5_000)):
        batch = sample_batch(
            build_family(config),
            min(5_000, count),
            num_shots=config.eval_shots,
            num_queries=100,
            generator=RandomStreams(config.run.seed).generator("population", index),
            dtype=torch.float32,
        )
        parts.append(FusedView(learner, batch, torch.zeros(1, 1, 1), num_steps=10)(phi))
    support, query = (
        np.concatenate([getattr(part, f"{name}_loss") for part in parts]).astype(float)
        for name in ("support", "query")
    )
    return Evaluation(step=0, support_loss=support, query_loss=query)


METHODS = (("maml-sine", 10_000), ("reptile-sine", 30_000))


def cells(tasks: Evaluation, size: int, draw: np.random.Generator):
    """Return what 1,000 evaluations of so many tasks find, by inner step.

    Returns:
        For each of `STEPS` and each summary, the truth's share covered and share given.
    """
    rows = draw.integers(len(tasks.query_loss), size=(NUM_EVALUATIONS, size))
    found = [summarise(tasks.query_loss[i], tasks.support_loss[i]) for i in rows]
    ordered = np.sort(tasks.query_loss, axis=0)
    cut = len(ordered) // 4
    truths = {
        "mean": ordered.mean(axis=0),
        "iqm": ordered[cut:-cut].mean(axis=0),
        "median": np.median(ordered, axis=0),
    }
    for step in STEPS:
        cell = {
            name: share_covered(
                [
                    np.array([getattr(one, f"{name}{end}")[step] for one in found])
                    for end in ("", "_low", "_high")
                ],
                truth[step],
            )
            for name, truth in truths.items()
        }
        yield step, cell


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("preset", "num_steps"), METHODS)
def test_evaluations_of_a_trained_network(preset, num_steps):
    """Resample a thousand evaluations of 100 and 600 from 100,000 tasks."""
    tasks = population(*trained(preset, num_steps, 0), 100_000)
    draw = np.random.default_rng(0)
    print(f"\n{preset}, {num_steps:,} outer steps: share covered (share given)")
    for size in (100, 600):
        for step, cell in cells(tasks, size, draw):
            words = (f"{k} {c:.3f} ({g:.3f})" for k, (c, g) in cell.items())
            print(f"{size:4} tasks, {step:2} inner steps: {'; '.join(words)}")
            for name, (covered, given) in cell.items():
                low, high = COVERS
                holds = low - LOOSE <= covered <= high + LOOSE
                assert holds or given < 0.05, (size, step, name)
                # A median or interquartile mean always has one, and a mean where
                # nothing has compounded.
                if name != "mean" or step <= 1:
                    assert given > 0.95, (size, step, name)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("preset", "num_steps"), METHODS)
def test_intervals_over_the_seeds_of_twelve_networks(preset, num_steps):
    """Choose 3 and 5 of twelve trained networks, and 600 tasks of each.

    A mean has an interval where nothing has compounded, an interquartile mean always.
    """
    networks = [
        population(*trained(preset, num_steps, seed), 10_000) for seed in range(12)
    ]
    truth = np.mean([one.query_loss.mean(axis=0) for one in networks], axis=0)
    draw = np.random.default_rng(0)
    print(f"\n{preset}: share covered (share given), mean over tasks")
    for count in (3, 5):
        found = [chosen(networks, count, draw) for _ in range(NUM_EVALUATIONS)]
        for index, step in enumerate(STEPS):
            ours = [one[index] for one in found]
            ends = np.array([(0.0, one.low, one.high) for one in ours]).T
            covered, given = share_covered(ends, truth[step])
            print(f"{count} seeds, {step:2} inner steps: {covered:.3f} ({given:.3f})")
            low, high = COVERS
            assert low - LOOSE <= covered <= high + LOOSE or given < 0.05
            assert given > 0.95 or step > 1


def chosen(networks, count: int, draw: np.random.Generator):
    """Return our numbers of some networks and 600 tasks of each, by inner step."""
    steps = np.arange(11.0)
    tasks = [
        (networks[seed], draw.integers(10_000, size=600))
        for seed in draw.choice(12, count, replace=False)
    ]
    series = Series(
        points=steps,
        x=steps,
        values=tuple(one.query_loss[rows] for one, rows in tasks),
        num_rising=tuple(
            rising(one.support_loss[rows]).sum(axis=0) for one, rows in tasks
        ),
    )
    return [ours_at(series, step) for step in STEPS]
