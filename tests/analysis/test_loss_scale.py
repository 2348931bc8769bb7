"""The scale on which the losses of tasks are told apart."""

import math

import numpy as np
import pytest

from metalab.analysis.loss_scale import LossScale, loss_scale
from tests.support.histories import make_config, make_history


def test_shares_on_a_logarithmic_scale():
    scale = LossScale.below(4.0)
    assert scale.share(4.0) == 1.0
    assert scale.share(0.4) == pytest.approx(0.5)
    assert scale.share(0.04) == pytest.approx(0.0)
    assert scale.share(400.0) == 1.0
    assert scale.share(0.0) == 0.0
    assert scale.share(np.nan) == scale.share(np.inf) == 1.0
    assert LossScale.below(0.0).share(1.0) == 1.0


def test_shares_on_a_straight_scale_of_losses_below_zero():
    scale = LossScale(best=-1.0, worst=3.0, logarithmic=False)
    assert [scale.share(loss) for loss in (-2.0, -1.0, 0.0, 1.0, 3.0, 9.0)] == [
        *(0.0, 0.0, 0.25, 0.5, 1.0, 1.0)
    ]
    assert scale.share(np.nan) == 1.0


def test_the_ends_are_those_of_the_loss_on_the_query_set():
    tasks = make_history().held_out_tasks
    squares = np.mean(tasks.true_curves.astype(float) ** 2)
    found = loss_scale(make_config(), tasks)
    assert found.logarithmic
    assert (found.best, found.worst) == pytest.approx((squares / 100, squares))
    absolute = make_config(("query_loss.kind", "absolute-error"))
    expected = np.abs(tasks.true_curves.astype(float)).mean()
    assert loss_scale(absolute, tasks).worst == pytest.approx(expected)
    likelihood = loss_scale(make_config(("loss.kind", "gaussian")), tasks)
    constant = 0.5 * math.log(2 * math.pi)
    assert likelihood.best == pytest.approx(constant)
    assert likelihood.worst == pytest.approx(constant + 0.5 * squares)
    assert not likelihood.logarithmic
