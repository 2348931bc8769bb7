"""Tests of `metalab runs`."""

import json
import shutil

import pytest

from metalab.cli.main import run
from metalab.runs.library.naming import short_names
from metalab.runs.library.reading import read_entry
from tests.bench.library import make_library


@pytest.fixture(scope="module")
def made_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    make_library(folder, 4, ("maml-sine", "fomaml-sine"))
    return folder


@pytest.fixture
def folder(made_runs, tmp_path):
    copy = tmp_path / "runs"
    shutil.copytree(made_runs, copy)
    return copy


def test_runs_are_listed_filtered_and_sorted(folder, capsys):
    assert (
        run(
            [
                "runs",
                "method:fomaml",
                "--folder",
                str(folder),
                "--sort",
                "name",
                "--json",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found] == ["run 1", "run 3"]
    assert found[0]["config"]["hypergradient.kind"] == "first-order"
    assert (
        found[0]["last"]["loss"] == read_entry(folder / "run-00001.metalab").last.loss
    )


def test_the_table_fits_eighty_columns(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["runs", "--folder", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Run", "Name", "State", "Seed", "Step", "Best", "Last"]
    assert lines[-1] == "4 of 4 runs"


def test_replicates_are_one_row(folder, capsys):
    assert run(["runs", "--group", "--folder", str(folder), "--json"]) == 0
    groups = json.loads(capsys.readouterr().out)
    assert sum(len(group["seeds"]) for group in groups) == 4


def test_runs_are_labelled_archived_and_renamed(folder, capsys):
    where = ["--folder", str(folder)]
    assert run(["runs", "tag", "thesis,b", "00000", "00001", *where]) == 0
    assert run(["runs", "untag", "b", "00001", *where]) == 0
    assert run(["runs", "note", "look again", "00001", *where]) == 0
    assert run(["runs", "rename", "the one", "00001", *where]) == 0
    assert run(["runs", "archive", "00000", *where]) == 0
    capsys.readouterr()
    assert run(["runs", "tag:thesis", *where, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["tags"], found["note"]) == (
        "the one",
        ["thesis"],
        "look again",
    )
    assert run(["runs", "archive", "--undo", "00000", *where]) == 0
    assert not read_entry(folder / "run-00000.metalab").labels.archived


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["loss<low"], "filter 'loss<low': 'low' is no number"),
        (["--sort", "beauty"], "sort is 'beauty'; allowed: name"),
        (["tag", "two words", "00000"], "tag is 'two words'"),
        (["note", "x", "none"], "run is 'none'; allowed"),
        (["note", "x", "0"], "run is '0', which"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(folder, capsys, arguments, told):
    before = {path: path.read_bytes() for path in folder.glob("*.metalab")}
    if arguments[-1] == "0":
        shutil.copy(folder / "run-00000.metalab", folder / "run-00010.metalab")
    assert run(["runs", *arguments, "--folder", str(folder)]) == 2
    assert told in capsys.readouterr().err
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert run(["runs", "--folder", str(tmp_path / "none")]) == 2
    assert "allowed: a folder that is there" in capsys.readouterr().err


def test_a_file_that_cannot_be_changed_is_told_and_the_others_are_changed(
    folder, capsys
):
    (folder / "run-00000.metalab").write_bytes(b"rubbish")
    assert run(["runs", "tag", "a", "00000", "00001", "--folder", str(folder)]) == 1
    assert "not a metalab run file" in capsys.readouterr().err
    assert read_entry(folder / "run-00001.metalab").labels.tags == ("a",)


def test_short_names_are_as_long_as_they_must_be(folder):
    paths = [folder / f"{name}.metalab" for name in ("a-1234", "b-1234", "c-5678")]
    assert list(short_names(paths).values()) == ["5678", "a-1234", "b-1234"]
