"""What every test gets: an offscreen Qt, one torch thread, a home of its own."""

import os
from collections import Counter
from collections.abc import Sequence
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
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark what runs with shapes checked; leave a sample of what `make slow` runs whole."""
    for item in items:
        checked = any(folder in item.path.parents for folder in CHECKED)
        if checked and item.get_closest_marker("unchecked") is None:
            item.add_marker("shapes")
    if "not slow" in config.option.markexpr:
        kept, left = _sampled(items)
        items[:] = kept
        config.hook.pytest_deselected(items=left)


def _sampled(
    items: Sequence[pytest.Item],
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return one in so many cases of each sampled test, and the others."""
    seen: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("sampled")
        name = item.nodeid.split("[")[0]
        every = 1 if marker is None else marker.args[0]
        (kept if seen[name] % every == 0 else left).append(item)
        seen[name] += 1
    return kept, left


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never read or write the user's runs and preferences."""
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "home"))
