"""Where metalab keeps things, and how they are called there."""

import pytest

from metalab.experiment.config import ExperimentConfig
from metalab.runs.system import home
from metalab.runs.system.home import (
    LONGEST_STEM,
    data_home,
    file_stem,
    home_problems,
    new_run_path,
    runs_problem,
)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("maml-sine", "maml-sine"),
        ("lr 0.5 / a\\b", "lr-0.5-a-b"),
        ("实验", "实验"),
        ("..", "-"),
        ("", "-"),
        (".hidden...", "hidden"),
        ("CON", "CON_"),
        ("com1.old", "com1_.old"),
        ("console", "console"),
        ("\x1b[31m\x00\x7f", "-31m-"),
        ("a\ud800b", "a-b"),
        ("字" * 80, "字" * 26),
        ("a" * 81, "a" * 80),
    ],
)
def test_a_name_becomes_a_part_of_a_file_name(name, stem, tmp_path):
    assert file_stem(name) == stem
    assert len(stem.encode()) <= LONGEST_STEM
    (tmp_path / f"{stem}.x").write_text("it can be a file's name")


@pytest.mark.parametrize("name", ["实" * 80, "a" * 80, "NUL", "...", "a:b|c?"])
def test_the_file_of_a_new_run_can_be_made_whatever_its_name(name):
    path = new_run_path(ExperimentConfig(name=name))
    path.parent.mkdir(parents=True)
    # SQLite puts a file of a longer name beside it.
    path.with_name(f"{path.name}-journal").touch()
    assert len(path.name.encode()) <= 143 - len("-journal")


def test_a_home_of_somebody_unknown_is_a_name_like_any_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METALAB_HOME", "~nobody-of-that-name/x")
    assert data_home() == tmp_path / "~nobody-of-that-name" / "x"
    monkeypatch.setenv("METALAB_HOME", "")
    monkeypatch.setattr(home.platformdirs, "user_data_path", lambda *_, **__: tmp_path)
    assert data_home() == tmp_path


def test_a_home_that_is_in_order_has_no_problems(tmp_path, monkeypatch):
    monkeypatch.setenv("METALAB_HOME", str(tmp_path / "new" / "deep"))
    assert home_problems() == []
    assert runs_problem() is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_named_with_the_way_out(tmp_path, monkeypatch):
    there = tmp_path / "file"
    there.write_text("in the way")
    monkeypatch.setenv("METALAB_HOME", str(there))
    runs, preferences, logs = home_problems()
    assert (
        runs
        == runs_problem()
        == (
            f"Runs cannot be kept in {there / 'runs'}: {there} is not a folder that can be "
            "written to; METALAB_HOME names another place"
        )
    )
    assert preferences.startswith(f"Preferences cannot be kept in {there / 'config'}: ")
    assert logs.startswith(f"Logs cannot be kept in {there / 'log'}: ")


def test_without_a_home_folder_runs_are_not_kept_somewhere_else(monkeypatch, tmp_path):
    """Where no home folder is known, platformdirs' answer begins with a tilde."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METALAB_HOME")
    relative = home.Path("~/.local/share/metalab")
    monkeypatch.setattr(home.platformdirs, "user_data_path", lambda *_, **__: relative)
    assert "no home folder is known" in (runs_problem() or "")
