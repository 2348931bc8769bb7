"""The house rules that no linter holds."""

import subprocess
import sys
from pathlib import Path

import pytest

import metalab
from tests.support.findings import check_each

ROOT = Path(metalab.__file__).parent
MOST_LINES = 600

NEEDS_NO_TORCH = (
    "metalab.core.spec",
    "metalab.core.errors",
    "metalab.engine.events",
    "metalab.runs.record.history",
    "metalab.runs.record.live",
    "metalab.runs.running.control",
    "metalab.runs.record.status",
    "metalab.runs.running.worker",
    "metalab.runs.system.preload",
    "metalab.runs.system.home",
    "metalab.cli.main",
)


def test_no_file_is_too_long():
    def check(path):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES

    check_each(sorted(ROOT.rglob("*.py")), check)


def loaded_by(module: str) -> set[str]:
    """Return the top-level packages that importing a module loads."""
    found = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(found.stdout.split())


@pytest.mark.parametrize("module", NEEDS_NO_TORCH)
def test_what_the_window_holds_from_the_start_loads_no_torch(module):
    """The window paints before torch, which takes seconds, is imported."""
    assert not {"torch", "matplotlib", "PySide6", "pyqtgraph"} & loaded_by(module)


def test_the_engine_loads_no_qt():
    loaded = loaded_by("metalab.engine.trainer")
    assert "torch" in loaded
    assert not {"PySide6", "shiboken6", "pyqtgraph", "matplotlib"} & loaded
