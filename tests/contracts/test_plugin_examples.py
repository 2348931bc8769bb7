"""The examples of README are the files of assets/examples/plugins, and they work.

Each is checked, trained and offered by the form; nothing but `--plugin` knows of it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metalab.cli.main import run as command

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "assets" / "examples" / "plugins"

CHOSEN = {
    "lstm.py": "model.kind=reading-lstm",
    "convolution.py": "model.kind=bump-convolution",
    "attention.py": "model.kind=small-transformer",
    "log_cosh.py": "loss.kind=log-cosh",
    "soft_sign.py": "inner.kind=soft-sign",
    "blended.py": "hypergradient.kind=blended",
}
IN_README = ("lstm.py", "log_cosh.py", "blended.py", "soft_sign.py")
MOST_LINES = 27
"""That are not empty."""

SMALL = (
    *("--set", "outer.num_steps=3", "--set", "outer.num_tasks=4"),
    *("--set", "evaluation.num_tasks=16"),
)

PARENT = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from metalab.catalog.plugin_files import name_files


def knows():
    from metalab.catalog.slots import LOSSES
    return "log-cosh" in LOSSES.components


if __name__ == "__main__":
    name_files([Path(sys.argv[1])])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(pool.submit(knows).result())
"""

WINDOW = """
import json, sys
from metalab.cli.plugin_option import split_plugins
from metalab.catalog.plugin_files import name_files
rest, files = split_plugins(sys.argv[1:])
name_files(files)
from PySide6.QtWidgets import QApplication
from metalab.ui.shell.controller import Controller, WindowOptions
from metalab.runs.system.preload import Preload

app = QApplication([])
lab = Controller(app, WindowOptions(), preload=Preload(kernels=False))
before = "torch" in sys.modules
lab.start()
while not lab.session.loaded:
    app.processEvents()
lab.draw()
rows = lab.window.experiment.form
shown = [
    path for path in rest
    if path.split("=")[1] in dict(rows.row(path.split("=")[0]).info.choices)
]
problems = [fault.message for fault in lab.faults.snapshot()]
lab.close()
lab.window.close()
print(json.dumps({"before": before, "shown": shown, "problems": problems}))
"""


COMMANDS = """
import contextlib, io, json, sys
from metalab.cli.main import run

for arguments in json.loads(sys.argv[1]):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = run(arguments)
    assert code == 0, (arguments, code, told.getvalue())
    print(json.dumps(json.loads(told.getvalue())))
"""
"""Commands, each of which prints one JSON object."""


@pytest.fixture
def surroundings(tmp_path):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "METALAB_HOME": str(tmp_path / "home"),
        "METALAB_PLUGINS": "",
    }


def ran(surroundings, *arguments, code=0, timeout=150):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        check=False,
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def metalab(surroundings, *arguments, code=0):
    return ran(surroundings, "-m", "metalab", *arguments, code=code)


def one_after_another(surroundings, *commands):
    """Return what each of some commands printed, all in one process that imports once."""
    texts = json.dumps([[str(part) for part in line] for line in commands])
    done = ran(surroundings, "-c", COMMANDS, texts)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_example_is_tried():
    assert set(CHOSEN) == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("place", ["README.md", ".github/CONTRIBUTING.md"])
def test_examples_are_shown_as_they_are(place):
    text = (ROOT / place).read_text("utf-8")
    for name in IN_README:
        code = (EXAMPLES / name).read_text("utf-8")
        assert f"```python\n{code}```\n" in text or (
            place != "README.md" and f"assets/examples/plugins/{name}" in text
        ), name


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CHOSEN)
def test_an_example_is_checked_and_trained_and_its_run_needs_it(
    name, surroundings, tmp_path, capfd
):
    run, plugin = tmp_path / "run.metalab", EXAMPLES / name
    to = ("--set", "run.seed=3", "--out", run)
    lines = plugin.read_text("utf-8").splitlines()
    assert sum(bool(line) for line in lines) <= MOST_LINES
    checked, trained, shown = one_after_another(
        surroundings,
        ["check", plugin, "--json"],
        ["train", "--plugin", plugin, "--set", CHOSEN[name], *SMALL, *to, "--json"],
        [f"--plugin={plugin}", "show", run, "--json"],
    )
    assert len(checked["checks"]) >= 5
    assert {row["outcome"] for row in checked["checks"]} == {"pass"}
    assert (trained["status"], trained["step"]) == ("finished", 3)
    part, _, kind = CHOSEN[name].partition("=")
    assert kind in [row["value"] for row in shown["settings"]]
    # Here, where nobody has named the plug-in.
    capfd.readouterr()
    assert command(["show", str(run)]) == 2
    refused = capfd.readouterr().err
    assert f"{run} needs {part} {kind!r}" in refused
    assert f"of plug-in {name} (sha256 " in refused
    assert "add it by --plugin FILE" in refused


def test_processes_that_metalab_starts_have_the_same_parts(surroundings, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    done = ran(surroundings, script, EXAMPLES / "log_cosh.py")
    assert done.stdout.split() == ["True"]


@pytest.mark.gui
def test_the_form_offers_them_all_and_the_window_does_not_wait(surroundings):
    arguments = [f"--plugin={EXAMPLES / name}" for name in CHOSEN]
    done = ran(surroundings, "-c", WINDOW, *arguments, *CHOSEN.values())
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "before": False,
        "shown": list(CHOSEN.values()),
        "problems": [],
    }


@pytest.mark.gui
def test_a_broken_file_is_among_the_problems_with_its_line(surroundings, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\nx.y\n")
    done = ran(surroundings, "-c", WINDOW, "--plugin", broken)
    (problem,) = json.loads(done.stdout.splitlines()[-1])["problems"]
    assert problem.startswith(f"plug-in {broken}, line 2: AttributeError: 'int' object")


def test_an_estimator_is_weighed_beside_ours(surroundings, tmp_path):
    run, plugin = tmp_path / "run.metalab", ("--plugin", EXAMPLES / "blended.py")
    assert command(["train", *SMALL, "--out", str(run), "--json"]) == 0
    done = metalab(
        surroundings,
        *("estimators", run, *plugin, "--estimators", "unrolled,blended,first-order"),
        *("--num-tasks", "4", "--num-batches", "2", "--json"),
    )
    assert '"blended"' in done.stdout
