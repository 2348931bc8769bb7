"""Experiments as TOML files."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.catalog.recipes import presets
from metalab.experiment.config import preset_config
from metalab.experiment.experiment_file import (
    experiment_of,
    experiment_text,
    is_lesson,
    read_experiment,
    write_experiment,
)
from metalab.experiment.fields import ConfigError, with_overrides
from metalab.experiment.naming import named

CHANGES = (
    ("tasks.family.kind", "points"),
    ("tasks.family.points", "0, 1; 2, 3"),
    ("model.hidden_sizes", [7, 8]),
    ("inner.inner_lr", 0.5),
    ("outer.optimizer.kind", "sgd"),
    ("outer.schedule", "cosine"),
    ("run.seed", 12),
)


@pytest.mark.parametrize("name", presets())
@pytest.mark.sampled(5)
def test_every_preset_comes_back(tmp_path, name):
    file = tmp_path / "a.toml"
    write_experiment(file, preset_config(name))
    assert read_experiment(file) == preset_config(name)
    assert tomllib.loads(file.read_text()) == {"preset": name}


@settings(deadline=None)
@given(st.sets(st.sampled_from(range(len(CHANGES)))), st.booleans())
def test_what_differs_is_written_and_comes_back(numbers, own_name):
    chosen = [CHANGES[number] for number in sorted(numbers)]
    if ("tasks.family.kind", "points") not in chosen:
        chosen = [c for c in chosen if c[0] != "tasks.family.points"]
    config = with_overrides(preset_config("maml-sine"), chosen)
    if own_name:
        config = named(config, "größer")
    assert experiment_of(tomllib.loads(experiment_text(config))) == config


def test_what_is_no_experiment_is_said(tmp_path):
    run, lesson = tmp_path / "a.metalab", tmp_path / "b.toml"
    run.write_bytes(b"SQLite format 3\x00 and more")
    with pytest.raises(ConfigError, match="is a run file, not an experiment in TOML"):
        read_experiment(run)
    lesson.write_text('title = "x"\npages = []\n')
    with pytest.raises(ConfigError, match="is a lesson, not an experiment"):
        read_experiment(lesson)
    assert is_lesson(lesson)
    assert not is_lesson(run)
    assert not is_lesson(tmp_path / "none")
