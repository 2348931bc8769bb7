"""From the first launch to an exported animation, on a virtual screen."""

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


@pytest.mark.slow
def test_a_person_finds_the_way(tmp_path):
    with virtual_screen() as environment:
        done = subprocess.run(
            [sys.executable, "-m", "tests.gui.scenario", str(tmp_path), "dark"],
            env={**environment, "METALAB_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["problems"] == []
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(pictures) == 10
    assert (tmp_path / "animation-dark.gif").is_file()
