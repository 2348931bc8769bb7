"""The task on the Adapt canvas."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.core.written_points import read_points
from metalab.ui.workspaces.adapt.scene import Scene

GRID = np.linspace(-5, 5, 101)
TASKS = SimpleNamespace(grid=GRID, parameters=np.zeros((1, 2)))


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


@pytest.mark.parametrize("places", [(-5.0, 5.0), (10.0, 40.0), (-200.0, 200.0)])
def test_points_that_are_brought_stay_where_they_are(places):
    """The grid goes as far as they do; the curve of the task before is nobody's."""
    written = read_points("\n".join(f"{x}, {k}" for k, x in enumerate(places)))
    made = scene("held-out").with_written(written, GRID)
    assert made.x.tolist() == list(places)
    assert made.y.tolist() == [0.0, 1.0]
    grid = made.over(GRID)
    assert (grid[0], grid[-1]) == (min(-5, places[0]), max(5, places[-1]))
    assert (np.diff(grid) > 0).all()
    assert made.known_truth(grid) is None
    assert made.as_task(TASKS).truth is None
    assert made.note.startswith("2 points, separated by commas; x from ")
    assert ("beyond the tasks' -5 to 5" in made.note) == (places != (-5.0, 5.0))


def test_points_too_far_to_be_drawn_are_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"x is 205\.5; allowed: -205 to 205, beside"):
        scene().with_written(read_points("1, 2\n205.5, 3"), GRID)


def test_a_curve_is_chosen_for_points_that_had_none():
    made = scene().with_written(read_points("10, 1\n20, 2"), GRID)
    grid = made.over(GRID)
    drawn = made.with_kind("drawn", grid)
    assert np.interp([10, 15, 20], grid, drawn.truth(grid)) == pytest.approx(
        [1, 1.5, 2]
    )
    sine = made.with_kind("sine", grid)
    np.testing.assert_allclose(sine.y, 2 * np.sin(sine.x - 0.5), atol=0.02)
    assert sine.with_kind("unknown", grid).known_truth(grid) is None
