"""Moved points and what is shown of them."""

from dataclasses import replace

import numpy as np
import pytest

from metalab.analysis.edited_support import EditedSupport, SupportEditResult
from tests.support.histories import banded, make_config, make_curves, make_tasks

TASK = 3


@pytest.fixture
def tasks():
    return make_tasks(make_config())


@pytest.fixture
def moved(tasks):
    return EditedSupport.own(tasks, TASK).with_point(2, 1.5, -7.0)


def readapted(moved, curves, *, deviation=None):
    shape = curves.curves.shape[1:]
    return SupportEditResult(
        points=moved,
        step=9,
        curves=np.full(shape, 2.0),
        support_loss=np.full(shape[0], 3.0),
        query_loss=np.full(shape[0], 4.0),
        deviation=deviation,
    )


def test_one_point_moves_and_the_others_stay(tasks, moved):
    assert (moved.x[2], moved.y[2]) == (1.5, -7.0)
    rest = np.arange(len(moved.x)) != 2
    np.testing.assert_array_equal(moved.x[rest], tasks.support.x[TASK, :, 0][rest])
    np.testing.assert_array_equal(moved.y[rest], tasks.support.y[TASK, :, 0][rest])
    with pytest.raises(ValueError, match="read-only"):
        moved.x[0] = 1.0


def test_they_are_shown_in_the_place_of_the_tasks_own(tasks, moved):
    shown = moved.shown_in(tasks)
    np.testing.assert_array_equal(shown.support.y[TASK, :, 0], moved.y)
    np.testing.assert_array_equal(shown.support.y[TASK + 1], tasks.support.y[TASK + 1])
    assert tasks.support.y[TASK, 2, 0] != -7.0


def test_the_curves_of_the_others_stay(moved):
    curves = make_curves(make_config())
    shown = readapted(moved, curves).shown_in(curves)
    assert (shown.curves[TASK] == 2).all()
    assert (shown.support_loss[TASK] == 3).all()
    assert (shown.query_loss[TASK] == 4).all()
    others = np.arange(len(curves.curves)) != TASK
    np.testing.assert_array_equal(shown.curves[others], curves.curves[others])
    assert shown.step == curves.step
    assert shown.deviation is None


def test_a_band_follows(moved):
    curves = banded(make_config())
    wide = np.full(curves.curves.shape[1:], 5.0)
    shown = readapted(moved, curves, deviation=wide).shown_in(curves)
    assert (shown.deviation[TASK] == 5).all()
    np.testing.assert_array_equal(shown.deviation[0], curves.deviation[0])


def test_a_copy_of_other_points_is_another_value(moved):
    assert moved != replace(moved)
