"""Time to a threshold and area under the curve, against numbers by hand."""

import math

import numpy as np
import pytest

from metalab.analysis.learning_curves import (
    Reach,
    mean_over_training,
    reach_of,
    time_to_threshold,
)

STEPS = np.array([0.0, 10.0, 20.0, 40.0])


def test_the_first_evaluation_at_or_below_the_threshold_counts():
    losses = np.array([4.0, 2.0, 1.0, 3.0])
    assert reach_of(STEPS, losses, 2.0, diverged=False) == Reach(
        step=10.0, reached=True
    )
    assert reach_of(STEPS, losses, 1.5, diverged=True) == Reach(step=20.0, reached=True)


def test_a_run_that_never_arrives_is_longer_than_it_went_on():
    losses = np.array([4.0, 2.0, math.nan, 3.0])
    assert reach_of(STEPS, losses, 1.0, diverged=False) == Reach(
        step=40.0, reached=False
    )
    assert reach_of(STEPS, losses, 1.0, diverged=True) == Reach(
        step=math.inf, reached=False
    )
    assert reach_of(STEPS[:0], losses[:0], 1.0, diverged=False).step == 0.0


def reaches(*pairs):
    return [Reach(step=step, reached=reached) for step, reached in pairs]


def test_the_median_counts_those_that_never_arrive():
    all_arrive = time_to_threshold(reaches((30, True), (10, True), (20, True)))
    assert (all_arrive.median, all_arrive.words) == (20.0, "20 (3 of 3)")
    one_late = time_to_threshold(reaches((10, True), (20, True), (40, False)))
    assert (one_late.median, one_late.followed) == (20.0, 40.0)
    most_late = time_to_threshold(reaches((10, True), (5_000, False), (5_000, False)))
    assert math.isinf(most_late.median)
    assert most_late.words == "> 5,000 (1 of 3)"


def test_a_run_that_was_cut_short_leaves_the_estimate_to_the_others():
    # By hand: S(10) = 3/4; the run cut short at 15 is no longer at risk; S(20) = 3/8.
    found = time_to_threshold(reaches((10, True), (15, False), (20, True), (40, False)))
    assert found.median == 20.0
    # One that diverged stays at risk for ever: S(10) = 3/4, S(20) = 1/2.
    found = time_to_threshold(
        reaches((10, True), (math.inf, False), (20, True), (40, False))
    )
    assert found.median == 20.0
    found = time_to_threshold(reaches((10, True), (math.inf, False), (math.inf, False)))
    assert found.words == "- (1 of 3)"


def test_the_area_is_a_mean_loss_by_the_trapezoidal_rule():
    losses = np.array([4.0, 2.0, 1.0, 3.0])
    # Pieces of 30, 15 and 40 over 10, 10 and 20 steps.
    assert mean_over_training(STEPS, losses, 40.0) == pytest.approx(85 / 40)
    assert mean_over_training(STEPS, losses, 20.0) == pytest.approx(45 / 20)
    assert math.isnan(mean_over_training(STEPS, losses, 0.0))
    assert math.isinf(mean_over_training(STEPS, np.array([1, 1, math.inf, 1]), 40.0))
