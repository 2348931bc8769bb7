"""A curve through points."""

import time
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.tasks.points import MAX_POINTS, Points, read_points
from tests.support.oracles import FLOAT64
from tests.tasks.draws import assert_fills, drawn, noise_floor

UNCHANGED = {"scale_min": 1, "scale_max": 1, "shift_min": 0, "shift_max": 0}


def curve(x, *, interpolation="smooth", text=None):
    """Return f at places, without jitter."""
    text = {} if text is None else {"points": text}
    family = Points(interpolation=interpolation, **text, **UNCHANGED)
    places = torch.as_tensor(x, dtype=FLOAT64)[None, :, None]
    row = torch.tensor([[1.0, 0.0]], dtype=FLOAT64)
    return family.target(row, places).flatten().numpy()


@pytest.mark.parametrize("interpolation", ["smooth", "straight"])
def test_the_curve_goes_through_the_points_and_ends_flat(interpolation):
    x, y = zip(*read_points(Points().points), strict=True)
    assert curve(x, interpolation=interpolation) == pytest.approx(np.array(y))
    beyond = curve([-100, -6, 6, 100], interpolation=interpolation)
    assert beyond == pytest.approx([y[0], y[0], y[-1], y[-1]])


def test_straight_pieces():
    x, y = zip(*read_points(Points().points), strict=True)
    places = np.linspace(-7, 7, 301)
    measured = curve(places, interpolation="straight")
    assert measured == pytest.approx(np.interp(places, x, y), abs=1e-12)


def test_smooth_slopes_are_the_weighted_harmonic_mean():
    """Two pieces with widths 1 and 2, slopes 1 and 4: 9 / (5 / 1 + 4 / 4) = 1.5."""
    text = "0, 0; 1, 1; 3, 9"
    step = 1e-6
    before, at, after = curve([1 - step, 1, 1 + step], text=text)
    assert (at - before) / step == pytest.approx(1.5, rel=1e-4)
    assert (after - at) / step == pytest.approx(1.5, rel=1e-4)


POINTS = st.lists(
    st.tuples(st.integers(-50, 50), st.floats(-100, 100)),
    min_size=2,
    max_size=12,
    unique_by=lambda point: point[0],
)


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_smooth_curves_never_overshoot(points):
    text = "; ".join(f"{x}, {y!r}" for x, y in points)
    ordered = sorted(points)
    assert read_points(text) == tuple(ordered)
    for (x0, y0), (x1, y1) in pairwise(ordered):
        values = curve(np.linspace(x0, x1, 21), text=text)
        room = 1e-9 * (1 + abs(y0) + abs(y1)) + 1e-12 * 100 * len(points)
        rises = np.diff(values) * (1 if y1 >= y0 else -1)
        assert rises.min() >= -room


@pytest.mark.parametrize(
    "text",
    ["0,1;2,3", "2, 3; 0, 1", " 0 , 1 ;\n 2 , 3 ; ", "0 1\n2 3", "0\t1\n2\t3\n"],
)
def test_ways_to_write_points(text):
    assert read_points(text) == ((0.0, 1.0), (2.0, 3.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "points has 0 of them; allowed: 2 to 200"),
        ("1, 2", "points has 1 of them"),
        (";".join(["1,2"] * (MAX_POINTS + 1)), "points has 201 of them"),
        ("1, 2; 3", "entry 2 is '3', 1 value; allowed: two numbers, x and y"),
        ("1, 2, 3; 4, 5", "entry 1 is '1, 2, 3'"),
        ("1, 2; a, 5", "entry 2 is 'a, 5'"),
        ("1, 2; nan, 5", "entry 2 is 'nan, 5'; allowed: numbers up to 10,000"),
        ("1, inf; 2, 5", "entry 1 is '1, inf'"),
        ("1, 2; 1e5, 5", "entry 2 is '1e5, 5'"),
        ("1, 2; 1.0, 5", "x = 1 and x = 1; no two may be the same"),
        ("0, 2; 0, 5", "no two may be the same"),
        ("1000, 2; 1000.01, 5", "almost the same"),
    ],
)
def test_what_is_not_points_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Points(points=text)


def test_a_huge_text_is_refused_at_once():
    begin = time.thread_time()
    with pytest.raises(ValueError, match="1,000,000 characters; allowed: at most"):
        Points(points="1" * 1_000_000)
    assert time.thread_time() - begin < 0.5


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.,;eE+-naif_ \t\nx", max_size=60) | st.text())
def test_any_text_is_points_or_refused(text):
    try:
        points = read_points(text)
    except ValueError as error:
        points, refusal = (), str(error)
    else:
        refusal = ""
        x = torch.linspace(points[0][0], points[-1][0], 9)
        assert np.isfinite(curve(x, text=text)).all()
    assert len(points) >= 2 or refusal.startswith("points")


def test_inputs_fill_the_extent_of_the_points():
    family = Points(points="10, 0; -2, 3")
    assert family.input_range == (-2, 10)
    assert_fills(drawn(family).query.x, -2, 10)


def test_tasks_are_stretched_and_shifted_copies():
    batch = drawn(Points())
    for column, ends in zip(
        batch.parameters.unbind(1), [(0.5, 1.5), (-1, 1)], strict=True
    ):
        assert_fills(column, *ends)
    row = torch.tensor([[2.0, 0.5]], dtype=FLOAT64)
    places = np.linspace(-4, 4, 17)
    y = Points().target(row, torch.as_tensor(places)[None, :, None]).flatten()
    assert y.numpy() == pytest.approx(2 * curve(places - 0.5))


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(Points(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
