"""One made-up history for all figures."""

import pytest

from metalab.runs.history import RunHistory
from tests.figures.histories import make_history


@pytest.fixture(scope="session")
def history() -> RunHistory:
    return make_history()
