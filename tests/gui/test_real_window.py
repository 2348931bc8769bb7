"""The real window on a virtual screen, through Qt's xcb platform."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.bench.xvfb import virtual_screen

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]


def test_the_preset_runs_draws_pauses_and_closes(tmp_path):
    """What it measures is for `make bench`; here it has to end well."""
    with virtual_screen() as environment:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.window_child", "0.5", "1.5", "auto"],
            env={**environment, "METALAB_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["steps_per_second"] > 0
    assert result["fps"] > 1
    assert result["pause_ms"] > 0
    assert len(list((tmp_path / "runs").iterdir())) == 1
