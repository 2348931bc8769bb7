import numpy as np
import pytest

from metalab.runs.record.status import RunStatus
from metalab.ui.workspaces.live.loss_axis import loss_axis, sparse
from tests.support.histories import make_history


def test_each_axis_means_what_it_says():
    history = make_history(300)
    rows = np.array([0, 9])
    np.testing.assert_allclose(loss_axis(history, "outer step").of_rows(rows), [1, 10])
    np.testing.assert_allclose(
        loss_axis(history, "tasks seen").of_rows(rows), [25, 250]
    )
    np.testing.assert_allclose(
        loss_axis(history, "training time").of_rows(rows), [0.002, 0.02]
    )


@pytest.mark.parametrize(
    ("axis", "at_zero", "at_ten", "beyond"),
    [
        ("outer step", 0.0, 10.0, 1000.0),
        ("tasks seen", 0.0, 250.0, 25_000.0),
        ("training time", 0.0, 0.02, 0.6),
    ],
)
def test_steps_without_a_row_have_a_place(axis, at_zero, at_ten, beyond):
    made = loss_axis(make_history(300), axis)
    assert made.of_step(0) == at_zero
    assert made.of_step(10) == pytest.approx(at_ten)
    assert made.of_step(1000) == pytest.approx(beyond)


@pytest.mark.parametrize(
    ("x", "row"), [(-5, 0), (1, 0), (1.4, 0), (1.6, 1), (300, 299), (1e9, 299)]
)
def test_the_nearest_row(x, row):
    assert loss_axis(make_history(300), "outer step").nearest(x) == row


def test_a_window_reaches_one_row_further():
    axis = loss_axis(make_history(300), "outer step")
    assert axis.window((10.0, 20.0)) == slice(8, 21)
    assert axis.window((-50.0, 1e6)) == slice(0, 301)


def test_an_axis_grows_in_steps_up_to_the_plan():
    axis = loss_axis(make_history(300), "outer step")
    assert axis.limits(0.0, ended=False) == (0.0, 1.0)
    assert axis.limits(310.0, ended=False) == (0.0, 400.0)
    assert axis.limits(350.0, ended=False) == (0.0, 400.0)
    assert axis.limits(9_990.0, ended=False) == (0.0, 10_000.0)
    assert axis.limits(310.0, ended=True) == (0.0, 310.0)


def test_an_axis_does_not_show_more_than_the_plan():
    axis = loss_axis(make_history(300, status=RunStatus.PAUSED), "outer step")
    assert axis.planned == 70_000
    assert axis.limits(8_500.0, ended=False)[1] <= 10_000


@pytest.mark.parametrize("count", [0, 1, 5, 24, 25, 100, 1001])
def test_sparse_rows_are_few_and_end_with_the_last(count):
    rows = sparse(count, 24)
    assert len(rows) <= 25
    if count:
        assert rows[-1] == count - 1
        assert len(set(rows.tolist())) == len(rows)


def test_sparse_rows_stay_while_others_come():
    assert set(sparse(90, 24)[:-1].tolist()) <= set(sparse(95, 24).tolist())
