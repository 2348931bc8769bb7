"""A run that the tests of this room look at."""

import pytest

import metalab as ml
from tests.support.experiments import small


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("api") / "run.metalab"
    return ml.train(small(), path=path, progress=False)
