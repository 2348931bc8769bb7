"""What an experiment can be named by, and how keywords mean settings."""

from pathlib import Path

import numpy as np
import pytest

import metalab as ml
from metalab.api.sources import experiment_from, path_of
from metalab.cli.config_source import resolve_config
from metalab.experiment.config import preset_config
from metalab.experiment.experiment_file import write_experiment
from metalab.experiment.fields import ConfigError, fields_of, with_overrides
from metalab.experiment.share_code import share_code

MAML = preset_config("maml-sine")


def of_keywords(**keywords):
    return experiment_from("maml-sine", keywords=keywords)


def test_names_of_presets_and_recipes():
    assert "maml-sine" in ml.presets()
    assert "maml" in ml.recipes()


def test_every_source_means_the_same(tmp_path):
    file = tmp_path / "mine.toml"
    changed = with_overrides(MAML, [("outer.num_steps", 500)])
    write_experiment(file, changed)
    for what in (
        changed,
        file,
        str(file),
        share_code(changed),
        {"preset": "maml-sine", "outer": {"num_steps": 500}},
        {"preset": "maml", "outer.num_steps": 500},
        changed.to_mapping(),
    ):
        assert experiment_from(what).digest() == changed.digest(), what


@pytest.mark.parametrize("name", ["maml-sine", "maml", "imaml-sine"])
def test_a_preset_is_the_command_lines(name):
    theirs = resolve_config(
        None, preset=name, assignments=["outer.num_steps=7"], seed=3
    )
    mine = experiment_from(name, seed=3, keywords={"outer_num_steps": 7})
    assert mine == theirs


def test_settings_by_path_and_by_keyword():
    by_path = experiment_from("maml-sine", settings={"outer.num_steps": 500})
    assert by_path == of_keywords(outer_num_steps=500)
    assert by_path.outer.num_steps == 500


def test_the_last_word_where_only_one_setting_has_it():
    assert of_keywords(inner_lr=0.02) == of_keywords(inner_inner_lr=0.02)


def test_a_component_and_its_options_in_any_order():
    config = of_keywords(hypergradient_num_backprop_steps=0, hypergradient="truncated")
    assert config.hypergradient.kind == "truncated"
    assert config.hypergradient.options()["num_backprop_steps"] == 0
    assert of_keywords(tasks_family="sinusoid") == MAML


def test_numbers_of_numpy():
    config = of_keywords(
        outer_num_steps=np.int64(9), model_hidden_sizes=np.array([4, 5])
    )
    assert config.outer.num_steps == 9
    assert config.model.options()["hidden_sizes"] == (4, 5)


def test_every_setting_has_a_keyword():
    for name in ml.presets():
        config = preset_config(name)
        for info in fields_of(config):
            assert path_of(info.path.replace(".", "_"), config) == info.path


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"num_tasks": 3}, "ambiguous: outer_num_tasks or evaluation_num_tasks"),
        ({"outer_num_step": 3}, "did you mean outer_num_steps"),
        ({"qwertyuiop": 3}, "'qwertyuiop' is no setting"),
    ],
)
def test_a_keyword_that_means_nothing_or_two_things(keywords, told):
    with pytest.raises(TypeError, match=told):
        of_keywords(**keywords)


def test_a_setting_given_twice():
    with pytest.raises(TypeError, match=r"outer\.num_steps is given twice"):
        experiment_from(
            "maml-sine",
            settings={"outer.num_steps": 1},
            keywords={"outer_num_steps": 2},
        )
    with pytest.raises(TypeError, match=r"run\.seed is given twice"):
        experiment_from("maml-sine", seed=1, keywords={"run_seed": 2})


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("maml-sin", "no preset, recipe, share code or file; did you mean 'maml-sine'"),
        (Path("nowhere.toml"), "cannot be read"),
        ({"preset": "nothing"}, "preset is 'nothing'"),
        ({"outer": {"num_step": 3}}, "not a known setting"),
        ("metalab1:zzz", "share code"),
    ],
)
def test_what_names_no_experiment(what, told):
    with pytest.raises(ConfigError, match=told):
        experiment_from(what)
