"""One made-up history for all figures."""

import pytest

from metalab.runs.record.history import RunHistory
from tests.figures.histories import make_history


@pytest.fixture(scope="session")
def history() -> RunHistory:
    return make_history()
