"""The first start, with a real window manager, before anything has been clicked."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.bench.xvfb import virtual_screen

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(
        not all(map(shutil.which, ("Xvfb", "openbox", "xdotool"))),
        reason="Xvfb, openbox or xdotool is not installed",
    ),
]


@pytest.mark.parametrize("size", ["1024x640x24", "1280x800x24"])
def test_the_window_is_on_the_screen_and_space_runs(tmp_path, size):
    with virtual_screen(size) as environment:
        manager = subprocess.Popen(["openbox"], env=environment)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.gui.first_start"],
                env={**environment, "METALAB_HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                timeout=170,
                check=False,
            )
        finally:
            manager.terminate()
            manager.wait()
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["active"]
    assert told["runs"]
    left, top, right, bottom = told["frame"]
    assert left >= told["screen"][0]
    assert top >= told["screen"][1]
    assert right <= told["screen"][2]
    assert bottom <= told["screen"][3]
