"""`metalab` without a command, where a window can open."""

import pytest

from metalab.cli import window
from metalab.cli.main import run


@pytest.fixture(autouse=True)
def _display(monkeypatch):
    monkeypatch.setattr(window, "display_problem", lambda: None)
    monkeypatch.setattr(window, "missing_libraries", dict)


@pytest.mark.parametrize(
    ("arguments", "preset"), [([], None), (["--preset", "fomaml-sine"], "fomaml-sine")]
)
def test_the_window_opens_with_the_preset_and_gives_the_exit_code(arguments, preset):
    asked = []

    def show(name, file=None):
        asked.append(name)
        return 7

    assert run(arguments, show=show) == 7
    assert asked == [preset]


@pytest.mark.parametrize("name", ["run.metalab", "A.lesson.toml", "mine.TOML"])
def test_a_file_alone_is_opened_in_the_window(tmp_path, name, capsys):
    file = tmp_path / name
    assert run([str(file)]) == 2
    assert f"{file} cannot be read: No such file" in capsys.readouterr().err
    file.touch()
    asked = []

    def show(preset, file=None):
        asked.append((preset, file))
        return 0

    assert run([str(file)], show=show) == 0
    assert asked == [(None, file)]


def test_without_a_display_a_file_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(window, "display_problem", lambda: "no display")
    file = tmp_path / "run.metalab"
    file.touch()
    assert run([str(file)]) == 2
    assert "cannot be opened in a window: no display" in capsys.readouterr().err


def test_missing_libraries_are_named_with_the_line_that_installs_them(
    monkeypatch, capsys
):
    monkeypatch.setattr(
        window, "missing_libraries", lambda: {"libxcb-cursor.so.0": "libxcb-cursor0"}
    )
    assert run([]) == 2
    error = capsys.readouterr().err
    assert "libxcb-cursor.so.0" in error
    assert "apt-get install libxcb-cursor0" in error
    assert len(error.splitlines()) == 1
