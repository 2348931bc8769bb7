"""The task on the Adapt canvas."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.ui.workspaces.adapt_scene import Scene, parse_points

GRID = np.linspace(-5, 5, 101)


def scene(kind: str = "sine", **changes) -> Scene:
    values = {
        "kind": kind,
        "task": 0,
        "x": np.array([-2.0, 0.5, 3.0]),
        "y": np.array([1.0, 2.0, 3.0]),
        "amplitude": 2.0,
        "phase": 0.5,
        "drawn": np.zeros(101),
    }
    return Scene(**(values | changes))


def test_a_sine_is_a_sine():
    np.testing.assert_allclose(scene().truth(GRID), 2 * np.sin(GRID - 0.5))
    wave = scene("square").truth(GRID)
    assert set(np.abs(wave)) <= {0.0, 2.0}


def test_a_line_goes_from_its_phase_to_its_amplitude():
    truth = scene("line").truth(GRID)
    assert (truth[0], truth[-1]) == (0.5, 2.0)
    np.testing.assert_allclose(np.diff(truth), 0.015)


@given(
    amplitude=st.floats(0.1, 5),
    phase=st.floats(0, 3.1),
    kind=st.sampled_from(("sine", "square")),
)
def test_the_handle_of_a_wave_is_on_its_crest(amplitude, phase, kind):
    made = scene(kind, amplitude=amplitude, phase=phase)
    x, y = made.handle(GRID)
    assert GRID[0] <= x <= GRID[-1]
    assert y == amplitude
    assert amplitude * np.sin(x - phase) == pytest.approx(amplitude)
    moved = made.with_handle(x + 0.3, 1.5, GRID)
    assert moved.amplitude == 1.5
    assert np.cos(moved.phase - phase - 0.3) == pytest.approx(1)


def test_points_keep_their_distance_to_a_curve_that_moves():
    before = scene()
    off = before.y - np.interp(before.x, GRID, before.truth(GRID))
    after = before.with_curve(3.0, 1.0, GRID)
    left = after.y - np.interp(after.x, GRID, after.truth(GRID))
    np.testing.assert_allclose(left, off)
    assert not after.own


def test_another_kind_takes_its_points_along():
    for kind in ("line", "square", "drawn"):
        after = scene().with_kind(kind, GRID)
        np.testing.assert_allclose(after.y, np.interp(after.x, GRID, after.truth(GRID)))
    drawn = scene().with_kind("drawn", GRID)
    np.testing.assert_allclose(drawn.truth(GRID), scene().truth(GRID))


def test_a_curve_drawn_by_hand_goes_through_its_points_in_any_order():
    x, y = np.array([2.0, -1.0, 0.0]), np.array([4.0, 1.0, 2.0])
    drawn = scene().with_drawing(x, y, GRID)
    truth = drawn.truth(GRID)
    assert truth[0] == 1.0
    assert truth[-1] == 4.0
    assert np.interp(0.0, GRID, truth) == pytest.approx(2.0)
    assert drawn.handle(GRID) is None


def test_points_are_added_moved_and_removed_and_the_last_one_stays():
    made = scene().with_new_point(1.0, -1.0)
    assert made.x[-1] == 1.0
    made = made.with_point(0, 4.0, 4.0).without_point(1)
    assert made.x.tolist() == [4.0, 3.0, 1.0]
    one = made.without_point(0).without_point(0)
    assert len(one.x) == 1
    assert one.without_point(0) is one


@pytest.mark.parametrize(
    "text", ["1, 2\n3, 4", "x,y\n1,2\n3,4", "1\t2\n\n3;4\n", " 1 2 \n 3 4 "]
)
def test_pasted_points_are_read(text):
    x, y = parse_points(text)
    assert (x.tolist(), y.tolist()) == ([1, 3], [2, 4])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no points"),
        ("1,2\n3", "line 2 is '3'"),
        ("1,2\na,b", "line 2 is 'a,b'"),
        ("1,nan", "line 1"),
        ("1,2,3\n4,5,6", "line 2|no points"),
    ],
)
def test_what_is_no_points_is_named(text, named):
    with pytest.raises(ValueError, match=named):
        parse_points(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        x, y = parse_points(text)
        assert len(x) == len(y) >= 1
        assert np.isfinite([x, y]).all()
