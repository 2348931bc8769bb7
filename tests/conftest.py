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

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never read or write the user's runs and preferences."""
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "home"))
