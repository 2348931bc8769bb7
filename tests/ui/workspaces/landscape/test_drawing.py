"""Colours and lines of a landscape."""

import numpy as np
import pytest
from matplotlib import colormaps

from metalab.ui.workspaces.landscape.colours import (
    ColourScale,
    picture_of_losses,
    viridis,
)
from metalab.ui.workspaces.landscape.contours import contours
from metalab.ui.workspaces.landscape.map import resampled

SHARES = np.linspace(0.0, 1.0, 256)


def test_the_colours_are_viridis():
    exact = 255 * colormaps["viridis"](SHARES)[:, :3]
    assert np.abs(viridis(SHARES) - exact).max() <= 2.0


@pytest.mark.parametrize("log", [False, True])
def test_a_scale_goes_from_the_lowest_to_the_highest(log):
    losses = np.array([[0.1, 1.0], [np.inf, 10.0]])
    scale = ColourScale.of(losses, log=log)
    shares = scale.shares(losses)
    assert shares[0, 0] == pytest.approx(0.0)
    assert shares[1, 1] == pytest.approx(1.0)
    assert shares[0, 1] == pytest.approx(0.5 if log else 0.9 / 9.9)
    levels = scale.levels(12)
    assert len(levels) == 12
    assert scale.low < levels[0] < levels[-1] < scale.high


def test_a_flat_landscape_has_a_scale():
    scale = ColourScale.of(np.full((3, 3), 2.0), log=True)
    assert scale.high > scale.low
    assert np.isfinite(scale.shares(np.array([2.0]))).all()


def test_rows_go_upwards_and_what_is_not_finite_is_see_through():
    losses = np.array([[0.0, 1.0], [np.nan, 1.0]])
    image = picture_of_losses(losses, ColourScale.of(losses, log=False))
    assert image.pixelColor(0, 1).name() == "#440154"
    assert image.pixelColor(1, 0).name() == "#fde725"
    assert image.pixelColor(0, 0).alpha() == 0


def test_contours_of_a_bowl_are_ellipses():
    x = np.linspace(-2.0, 2.0, 81)
    y = np.linspace(-1.5, 1.5, 61)
    values = x[None, :] ** 2 + 4 * y[:, None] ** 2
    found_x, found_y = contours(x, y, values, np.array([1.0, 2.0]))
    pieces = np.stack([found_x, found_y], axis=1).reshape(-1, 3, 2)
    assert np.isnan(pieces[:, 2, 1]).all()
    ends = pieces[:, :2].reshape(-1, 2)
    heights = ends[:, 0] ** 2 + 4 * ends[:, 1] ** 2
    nearest = np.where(heights < 1.5, 1.0, 2.0)
    np.testing.assert_allclose(heights, nearest, atol=0.02)
    # Closed lines of the right length: half axes 1 and 1/2, and both times sqrt(2).
    lengths = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1)
    around = 4.844224
    assert lengths.sum() == pytest.approx(around * (1 + np.sqrt(2)), rel=0.01)


def test_no_line_goes_where_nothing_is_known():
    values = np.array([[0.0, 1.0], [np.nan, 1.0]])
    x, y = contours(np.arange(2.0), np.arange(2.0), values, np.array([0.5]))
    assert len(x) == len(y) == 0


def test_resampling_keeps_known_points_and_planes():
    x = np.arange(5.0)
    plane = 2 * x[None, :] + 3 * x[:, None]
    fine = resampled(plane, 17)
    np.testing.assert_allclose(fine[::4, ::4], plane)
    places = np.linspace(0, 4, 17)
    np.testing.assert_allclose(fine, 2 * places[None, :] + 3 * places[:, None])
