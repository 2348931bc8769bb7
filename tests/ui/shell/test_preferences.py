"""What is remembered, and how what cannot be understood is left out."""

import json

import pytest

from metalab.runs.system.faults import FaultLog
from metalab.ui.export.settings import ExportSettings
from metalab.ui.shell.preferences import (
    Preferences,
    PreferenceStore,
    preferences_path,
    read_preferences,
    write_preferences,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "preferences.json"


def write(path, content):
    path.parent.mkdir(parents=True)
    path.write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
    )


def test_a_missing_file_means_the_defaults(path):
    assert read_preferences(path) == (Preferences(), [])
    assert not path.parent.exists()


def test_what_is_written_is_read_back(path):
    kept = Preferences(
        theme="light",
        preset="fomaml-sine",
        step_size=100,
        close_without_asking=True,
        folder="/runs",
        workspaces={"smoothing": 0.5, "rows": [10, 20]},
        export=ExportSettings(figure="adaptation", dpi=600),
    )
    write_preferences(path, kept)
    assert read_preferences(path) == (kept, [])
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("content", "kept", "words"),
    [
        ({"theme": "pink", "step_size": 10}, Preferences(step_size=10), ["theme"]),
        ({"colour": 1, "preset": "x"}, Preferences(preset="x"), ["colour"]),
        ({"step_size": 7, "theme": None}, Preferences(), ["step_size", "theme"]),
        ({"export": {"dpi": "many"}}, Preferences(), ["export"]),
        ([1, 2], Preferences(), ["table"]),
        ("{", Preferences(), ["JSON"]),
        ("", Preferences(), ["JSON"]),
        ("[" * 100_000, Preferences(), ["JSON"]),
    ],
)
def test_what_is_not_understood_is_left_out_and_kept_aside(path, content, kept, words):
    write(path, content)
    before = path.read_bytes()
    found, warnings = read_preferences(path)
    assert found == kept
    *reasons, where = warnings
    assert len(reasons) == len(words)
    assert all(word in " ".join(reasons) for word in words)
    backup = path.with_name("preferences.backup.json")
    assert str(backup) in where
    assert backup.read_bytes() == before


def test_bytes_that_are_no_text_mean_the_defaults(path):
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00")
    found, warnings = read_preferences(path)
    assert found == Preferences()
    assert "cannot be read" in warnings[0]


def test_a_store_keeps_each_change(path):
    faults = FaultLog()
    store = PreferenceStore(faults, path)
    store.change("theme", "light")
    assert store.current.theme == "light"
    assert PreferenceStore(faults, path).current.theme == "light"
    store.change("workspaces", {"rows": (1, 2)})
    assert store.current.theme == "light"
    assert faults.snapshot() == ()


def test_a_store_refuses_nonsense(path):
    store = PreferenceStore(FaultLog(), path)
    with pytest.raises(ValueError, match="theme"):
        store.change("theme", "pink")
    assert store.current == Preferences()


def test_no_change_writes_nothing(path):
    PreferenceStore(FaultLog(), path).change("theme", "dark")
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    faults = FaultLog()
    store = PreferenceStore(faults, blocked / "preferences.json")
    store.change("theme", "light")
    assert store.current.theme == "light"
    assert "cannot be" in faults.snapshot()[-1].message


def test_warnings_of_reading_go_to_the_faults(path):
    write(path, {"theme": "pink"})
    faults = FaultLog()
    PreferenceStore(faults, path)
    assert "theme" in faults.snapshot()[0].message


def test_the_file_is_in_the_folder_of_configuration(tmp_path):
    assert preferences_path() == tmp_path / "home" / "config" / "preferences.json"
