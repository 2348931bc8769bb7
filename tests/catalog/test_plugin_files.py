"""Files of one's own code: named, run once, and told about with their line."""

import os
from functools import cache

import pytest

from metalab.catalog import plugin_files
from metalab.catalog.plugin_files import (
    VARIABLE,
    PluginError,
    file_problems,
    loaded_files,
    look_at,
    name_files,
    named_files,
)

NETWORK = """
from torch import nn

class Line(nn.Module):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__()
        self.out = nn.Linear(input_dim, output_dim)

class _Hidden(Line):
    pass

NUMBER = 3
"""


@pytest.fixture(autouse=True)
def _start_of_a_process(monkeypatch):
    """Give back the variable, and forget what is loaded."""
    monkeypatch.setenv(VARIABLE, "")
    fresh = cache(plugin_files.loaded_files.__wrapped__)
    monkeypatch.setattr(plugin_files, "loaded_files", fresh)


@pytest.fixture
def written(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def load(*paths):
    name_files(paths)
    return plugin_files.loaded_files()


def test_what_a_file_defines_is_there_with_its_line(written):
    path = written(NETWORK)
    (found,) = load(path, path)
    assert found.problem == ""
    assert {"Line", "NUMBER"} <= set(found.values)
    assert "_Hidden" not in found.values
    assert "Linear" not in found.values
    assert found.place("Line") == f"{path}, line 4"
    assert found.file == look_at(path)
    assert str(found.file) == f"mine.py (sha256 {found.file.digest[:16]})"
    assert os.environ[VARIABLE] == str(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n\nx.y\n", "line 3: AttributeError: 'int' object has no attribute 'y'"),
        ("def f():\n    raise OSError('a\\nb')\n\nf()\n", "line 2: OSError: a"),
        ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3"),
        ("import nowhere_at_all\n", "line 1: ModuleNotFoundError: No module named"),
    ],
)
def test_a_file_that_cannot_be_run_is_told_with_its_line(written, text, told):
    path = written(text)
    (found,) = load(path)
    assert found.problem.startswith(f"plug-in {path}, {told}")
    assert found.values == {}
    assert plugin_files.file_problems() == (found.problem,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (1\n", "line 1: SyntaxError: '(' was never closed"),
        ("x = 1\n  y = 2\n", "line 2: IndentationError"),
        ("x = '\0'\n", ": SyntaxError"),
    ],
)
def test_what_is_no_python_is_refused_before_anything_is_run(written, text, told):
    path = written(text)
    with pytest.raises(PluginError, match="plug-in") as caught:
        name_files([path])
    assert told in str(caught.value)
    assert named_files() == ()


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(PluginError, match="cannot be read: No such file"):
        name_files([tmp_path / "gone.py"])
    with pytest.raises(PluginError, match="it is a folder, not a file"):
        name_files([tmp_path])


def test_a_file_that_comes_too_late_is_refused(written):
    load(written("x = 1\n"))
    name_files([written("x = 1\n")])
    with pytest.raises(PluginError, match=r"other\.py comes too late"):
        name_files([written("x = 2\n", "other.py")])


def test_a_file_that_was_changed_between_naming_and_loading_is_told(written):
    path = written("x = 1\n")
    name_files([path])
    path.write_text("x = (\n")
    (found,) = plugin_files.loaded_files()
    assert "line 1: SyntaxError" in found.problem


def test_nothing_is_loaded_by_itself():
    assert loaded_files() == ()
    assert file_problems() == ()
