"""What every test gets: an offscreen Qt, one torch thread, a home of its own."""

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Compiled once for the whole suite and its child processes; `make` fills it beforehand.
os.environ.setdefault(
    "METALAB_KERNELS", str(Path(__file__).resolve().parents[1] / ".kernels")
)

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)

# The same examples every time: a change is judged by what it changes. `make fuzz` draws
# others each time.
settings.register_profile("steady", derandomize=True)
settings.register_profile("fuzz", max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


CHECKED = [Path(__file__).parent / name for name in ("core", "tasks")]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs in a session of its own, with shapes checked; see shapes.args."""
    for item in items:
        checked = any(folder in item.path.parents for folder in CHECKED)
        if checked and item.get_closest_marker("unchecked") is None:
            item.add_marker("shapes")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never read or write the user's runs and preferences."""
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "home"))
