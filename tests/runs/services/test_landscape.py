"""Landscapes from coarse to fine, and their service."""

import threading

import numpy as np
import pytest

from metalab.analysis.landscape import LandscapeSampler
from metalab.analysis.landscape_request import LandscapeGrid, LandscapeRequest
from metalab.core.errors import UserError
from metalab.engine.events import Array
from metalab.runs.services.landscape import LEVELS, LandscapeService, fill, levels_to
from tests.analysis.test_landscape import a_slice
from tests.support.experiments import small
from tests.support.services import Waited

SECONDS = 20.0


def a_plane() -> LandscapeGrid:
    return LandscapeGrid(
        centre=np.zeros(2),
        u=np.array([1.0, 0.0]),
        v=np.array([0.0, 1.0]),
        paths=np.zeros((1, 1, 2)),
        explained=(1.0, 0.0),
        outer_path=np.empty((0, 2)),
        outer_explained=float("nan"),
        corner=(-1.0, 2.0),
        side=3.0,
    )


def bowl(points: Array) -> Array:
    return points[:, 0] ** 2 + 3 * points[:, 1]


def never() -> bool:
    return False


def test_coarse_to_fine_is_what_a_direct_computation_gives():
    """Every point once, and rows along v."""
    asked: list[Array] = []
    shares: list[float] = []

    def losses(points: Array) -> Array:
        asked.append(points)
        return bowl(points)

    def tell(picture: Array, share: float) -> None:
        shares.append(share)
        assert picture.shape[0] in LEVELS

    plane = a_plane()
    found = fill(plane, losses, resolution=61, most=500, tell=tell, stale=never)
    x, y = plane.coordinates(61)
    grid = np.stack(np.meshgrid(x, y), axis=2)
    assert found is not None
    np.testing.assert_allclose(found, bowl(grid.reshape(-1, 2)).reshape(61, 61))
    points = np.concatenate(asked)
    assert len(np.unique(points.round(9), axis=0)) == len(points)
    # The 41 a side have 21 a side in common with the 61.
    assert len(points) == 61**2 + 41**2 - 21**2
    assert max(map(len, asked)) <= 500
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_between_known_points_a_coarser_grid_is_interpolated():
    pictures: list[Array] = []

    def tell(picture: Array, share: float) -> None:
        del share
        pictures.append(picture.copy())

    fill(a_plane(), bowl, resolution=21, most=40, tell=tell, stale=never)
    first = next(picture for picture in pictures if len(picture) == 21)
    assert np.isfinite(first).all()
    x, y = a_plane().coordinates(21)
    # Linear along v, so that interpolation is exact there; along u it is close.
    exact = bowl(np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)).reshape(21, 21)
    assert np.abs(first - exact).max() < 0.05


def test_work_that_is_replaced_is_given_up():
    calls: list[int] = []

    def losses(points: Array) -> Array:
        calls.append(len(points))
        return bowl(points)

    def stale() -> bool:
        return len(calls) == 3

    found = fill(
        a_plane(), losses, resolution=61, most=10, tell=lambda *_: None, stale=stale
    )
    assert found is None
    assert len(calls) == 3


def test_other_resolutions_are_refused():
    assert levels_to(41) == (11, 21, 41)
    with pytest.raises(ValueError, match="resolution is 30"):
        levels_to(30)


@pytest.fixture
def service():
    made = Waited(LandscapeService)
    yield made
    assert made.close(SECONDS)


@pytest.mark.parametrize("surface", ["support", "adapted"])
def test_the_service_answers_what_the_engine_computes(service, surface):
    asked: LandscapeRequest = a_slice(small(), surface=surface, resolution=21)
    service.request(asked)
    found = service.take(SECONDS)
    assert found is not None
    assert found.finished
    assert found.asked is asked
    assert service.progress() is found
    surveyor = LandscapeSampler(asked.config)
    x, y = found.plane.coordinates(21)
    grid = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    direct = np.concatenate(
        [surveyor.losses(asked, found.plane, part) for part in np.array_split(grid, 9)]
    )
    np.testing.assert_allclose(found.losses.reshape(-1), direct, rtol=1e-5, atol=1e-6)
    assert found.num_averaged == (16 if surface == "adapted" else 1)


def test_what_has_no_answer_says_why(service):
    service.request(a_slice(small("anil-sine"), surface="adapted"))
    with pytest.raises(UserError, match="whole network"):
        service.take(SECONDS)


def test_the_newest_question_is_answered(service):
    config = small()
    first, last = (a_slice(config, resolution=size) for size in (61, 11))
    service.request(first)
    service.request(last)
    found = service.take(SECONDS)
    assert found is not None
    assert found.asked is last
    assert threading.active_count() <= 3
