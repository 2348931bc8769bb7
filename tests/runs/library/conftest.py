"""A library of a few real run files, made once."""

import shutil

import pytest

from tests.bench.library import make_library


@pytest.fixture(scope="session")
def made_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    make_library(folder, 6, ("maml-sine", "fomaml-sine"))
    return folder


@pytest.fixture
def folder(made_runs, tmp_path):
    copy = tmp_path / "runs"
    shutil.copytree(made_runs, copy)
    return copy
