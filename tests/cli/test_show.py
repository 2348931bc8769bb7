"""`metalab show` and `metalab presets NAME`."""

import json

import pytest

from metalab.catalog.recipes import presets
from metalab.cli.main import run
from metalab.experiment.config import preset_config
from metalab.experiment.fields import fields_of, with_overrides
from metalab.experiment.share_code import share_code
from metalab.runs.record.bookmarks import Bookmark
from metalab.runs.record.store import write_bookmarks


def json_of(capsys, *arguments: str):
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def text_of(capsys, monkeypatch, *arguments: str) -> str:
    monkeypatch.setenv("COLUMNS", "160")
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def test_every_setting_is_shown_with_label_key_value_and_unit(capsys, monkeypatch):
    text = text_of(capsys, monkeypatch, "show", "reptile-sine")
    for info in fields_of(preset_config("reptile-sine")):
        (line,) = [ln for ln in text.splitlines() if f" {info.path} " in ln]
        assert info.spec.label in line
    (line,) = [ln for ln in text.splitlines() if " outer.num_steps " in ln]
    assert "30,000" in line
    assert "steps" in line
    assert "default" not in line
    (line,) = [ln for ln in text.splitlines() if " run.seed " in ln]
    assert "default" in line
    (line,) = [ln for ln in text.splitlines() if " outer.warmup_steps " in ln]
    assert "off" in line
    assert "steps" not in line.replace("warmup_steps", "")
    assert "The same as preset reptile-sine." in text


@pytest.mark.parametrize("name", list(presets()))
def test_every_preset_can_be_shown(name, capsys):
    facts = json_of(capsys, "show", name)
    infos = fields_of(preset_config(name))
    assert [s["key"] for s in facts["settings"]] == [info.path for info in infos]
    assert (facts["name"], facts["preset"], facts["changes"]) == (name, name, [])


def test_differences_are_all_that_differs(capsys, monkeypatch):
    facts = json_of(capsys, "show", "maml-sine", "--diff", "reptile-sine")
    mine = {i.path: i.value for i in fields_of(preset_config("maml-sine"))}
    other = {i.path: i.value for i in fields_of(preset_config("reptile-sine"))}
    expected = {
        path: (mine.get(path), other.get(path))
        for path in {*mine, *other}
        if mine.get(path) != other.get(path)
    }
    found = {d["key"]: (d["value"], d["other"]) for d in facts["differences"]}
    assert found == {key: tuple(map(_listed, pair)) for key, pair in expected.items()}
    text = text_of(capsys, monkeypatch, "show", "maml-sine", "--diff", "reptile-sine")
    assert f"{len(expected)} settings differ" in text
    assert "64, 64" in text
    same = text_of(capsys, monkeypatch, "show", "maml-sine", "--diff", "maml-sine")
    assert "have the same settings" in same


def _listed(value):
    return list(value) if isinstance(value, tuple) else value


def test_codes_and_files_are_shown_too(capsys, tmp_path):
    config = with_overrides(preset_config("maml-sine"), [("tasks.num_shots", 3)])
    path = tmp_path / "mine.toml"
    path.write_text("preset = 'maml-sine'\n[tasks]\nnum_shots = 3\n")
    for word in (share_code(config), str(path)):
        facts = json_of(capsys, "show", word)
        assert facts["name"] == "maml-sine, num_shots 3"
        assert facts["changes"] == ["tasks.num_shots"]
        facts = json_of(capsys, "show", word, "--diff", "maml-sine")
        assert [d["key"] for d in facts["differences"]] == ["tasks.num_shots"]


def test_presets_by_name_have_their_settings(capsys, monkeypatch):
    (facts,) = json_of(capsys, "presets", "imaml-sine")
    assert facts["source"]
    assert {s["key"] for s in facts["settings"]} >= {
        "inner.inner_lr",
        "outer.num_steps",
    }
    text = text_of(capsys, monkeypatch, "presets", "imaml-sine")
    assert " hypergradient.kind " in text


@pytest.mark.parametrize(
    "word", ["nobody", "nowhere.metalab", "nowhere.toml", "metalab1:x"]
)
def test_what_is_nothing_is_refused_in_a_sentence(word, capsys):
    assert run(["show", word]) == 2
    assert capsys.readouterr().err.startswith("metalab: ")


def test_a_run_tells_its_bookmarks(tmp_path, capsys, monkeypatch):
    path = tmp_path / "run.metalab"
    settings = ["outer.num_steps=4", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", *options, "--out", str(path)]) == 0
    capsys.readouterr()
    assert "Bookmarks" not in text_of(capsys, monkeypatch, "show", str(path))
    assert json_of(capsys, "show", str(path))["bookmarks"] == []
    marks = (Bookmark(step=1), Bookmark(step=3, inner_step=1, note="[kink] here"))
    write_bookmarks(path, marks)
    text = text_of(capsys, monkeypatch, "show", str(path))
    shown = text[text.index("Bookmarks") :]
    assert "[kink] here" in shown
    assert json_of(capsys, "show", str(path))["bookmarks"] == [
        {"step": 1, "inner_step": 0, "note": ""},
        {"step": 3, "inner_step": 1, "note": "[kink] here"},
    ]
    assert "bookmarks" not in json_of(capsys, "show", "maml-sine")
