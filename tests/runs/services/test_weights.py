"""The folder of weights: whole or not at all, and true of the moment it is from."""

import json
import subprocess
import sys

import pytest
from safetensors.numpy import load_file

import metalab as ml
from metalab.cli.main import run as command
from metalab.core.errors import UserError
from metalab.runs.services.weights import WEIGHTS_FILES
from tests.support.experiments import small


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "run.metalab"
    config = small(outer__num_steps=6, evaluation__every=3)
    return ml.train(config, path=path, progress=False)


def test_files(run, tmp_path):
    folder = tmp_path / "sine"
    run.export_weights(folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted(WEIGHTS_FILES)
    assert [p.name for p in tmp_path.iterdir()] == ["sine"]
    facts = json.loads((folder / "weights.json").read_text())
    tensors = load_file(folder / "weights.safetensors")
    assert {n: list(t.shape) for n, t in tensors.items()} == {
        name: told["shape"] for name, told in facts["tensors"].items()
    }
    assert sum(tensor.size for tensor in tensors.values()) == len(run.phi)
    assert facts["digest"] == run.config.digest()
    assert facts["outer_step"] == 6
    measured = run.evaluations
    rows = measured["step"] == 6
    assert facts["evaluation"]["query_loss"] == pytest.approx(
        measured["query_mean"][rows].tolist(), rel=1e-5
    )


def test_the_program_runs(run, tmp_path):
    run.at(3).export_weights(tmp_path / "sine")
    found = subprocess.run(
        [sys.executable, str(tmp_path / "sine" / "model.py")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = found.stdout.splitlines()
    assert len(lines) == 4
    for line in lines:
        here, there = (float(part.split()[-1]) for part in line.split(", in the run"))
        assert here == pytest.approx(there, rel=1e-6)


def test_nothing_is_replaced_unasked(run, tmp_path):
    folder = tmp_path / "sine"
    folder.mkdir()
    (folder / "model.py").write_text("mine")
    with pytest.raises(UserError, match=r"model\.py exists already"):
        run.export_weights(folder)
    assert [p.name for p in folder.iterdir()] == ["model.py"]
    (folder / "notes.txt").write_text("stay")
    run.export_weights(folder, force=True)
    assert {p.name for p in folder.iterdir()} == {*WEIGHTS_FILES, "notes.txt"}


def test_refusals(run, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        run.export_weights(tmp_path / "no" / "sine")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UserError, match="is not a folder"):
        run.export_weights(file)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_commands(run, tmp_path, capsys):
    to = tmp_path / "best"
    assert command(["weights", str(run.path), "--to", str(to), "--step", "3"]) == 0
    assert "of outer step 3" in " ".join(capsys.readouterr().out.split())
    assert json.loads((to / "weights.json").read_text())["outer_step"] == 3
    table = tmp_path / "metrics.csv"
    assert command(["metrics", str(run.path), "--to", str(table)]) == 0
    assert "7 rows" in capsys.readouterr().out
    assert command(["metrics", str(run.path), "--to", str(table)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_data_that_must_not_travel_stays(tmp_path):
    config = small("mixed-model-gapminder", outer__num_steps=2, evaluation__every=2)
    settings = {"tasks.family.run_file_carries": "hash"}
    run = ml.train(
        config, path=tmp_path / "run.metalab", progress=False, settings=settings
    )
    run.export_weights(tmp_path / "weights")
    facts = json.loads((tmp_path / "weights" / "weights.json").read_text())
    assert facts["examples"] == []
    assert facts["units"]["inputs"].startswith("(x - ")
