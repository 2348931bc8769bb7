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

    def show(name):
        asked.append(name)
        return 7

    assert run(arguments, show=show) == 7
    assert asked == [preset]


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
