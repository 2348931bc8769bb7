"""The house rules that no linter holds."""

import re
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


def is_there(path: str) -> bool:
    """Return whether a dotted name below the package leads to something."""
    place = ROOT
    for number, part in enumerate(parts := path.split(".")):
        if (place / part).is_dir():
            place /= part
            continue
        module = place / f"{part}.py"
        name = parts[number + 1 : number + 2] if module.exists() else [part]
        text = (module if module.exists() else place / "__init__.py").read_text("utf-8")
        return not name or re.search(rf"\b{name[0]}\b", text) is not None
    return True


def test_what_a_docstring_points_to_is_there():
    rooms = "|".join(sorted(p.name for p in ROOT.iterdir() if p.is_dir()))

    def check(path):
        text = path.read_text(encoding="utf-8")
        named = re.findall(rf"`((?:{rooms})(?:\.\w+)+)", text)
        assert not [name for name in named if not is_there(name)]

    check_each(sorted(ROOT.rglob("*.py")), check)


def test_the_search_for_names_finds_what_is_gone():
    assert is_there("engine.trainer.Trainer")
    assert is_there("runs.record")
    assert not is_there("engine.trainer.NoSuchThing")
    assert not is_there("runs.replay")


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
