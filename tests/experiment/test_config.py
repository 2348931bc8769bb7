"""The configuration of an experiment as a value."""

import tomllib

import pytest
import tomli_w
from pydantic import ValidationError

from metalab.core.inner.gradient_descent import GradientDescent
from metalab.experiment import config as config_module
from metalab.experiment.config import ExperimentConfig, preset_config, recipe_of
from metalab.experiment.fields import ConfigError, validated, with_overrides

DEFAULT = ExperimentConfig()


def changed(**overrides):
    return with_overrides(
        DEFAULT, [(path.replace("__", "."), v) for path, v in overrides.items()]
    )


def test_it_is_a_value():
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT.run.seed = 3
    assert ExperimentConfig() == DEFAULT


def test_it_survives_a_toml_file():
    config = changed(name="ü \"quoted\" 'name'", outer__optimizer="sgd", run__seed=7)
    text = tomli_w.dumps(config.to_mapping())
    assert validated(tomllib.loads(text)) == config


def test_replicates_share_a_digest():
    assert changed(name="b", run__seed=9).digest() == DEFAULT.digest()


@pytest.mark.parametrize(
    "overrides",
    [
        {"inner__inner_lr": 0.02},
        {"outer__num_steps": 9},
        {"hypergradient__kind": "reptile"},
        {"model__hidden_sizes": [40]},
        {"run__precision": "float64"},
        {"evaluation__every": 50},
    ],
)
def test_whatever_changes_the_numbers_changes_the_digest(overrides):
    assert changed(**overrides).digest() != DEFAULT.digest()


def test_the_digest_is_the_same_in_every_process():
    """It stands in run files, so neither hash seeds nor key order may enter."""
    shuffled = dict(reversed(DEFAULT.to_mapping().items()))
    assert validated(shuffled).digest() == DEFAULT.digest()
    assert len(DEFAULT.digest()) == 16
    int(DEFAULT.digest(), 16)


def test_shown_steps_are_never_fewer_than_those_of_training():
    assert DEFAULT.num_inner_steps == 1
    assert DEFAULT.num_shown_steps == 10
    assert changed(inner__num_inner_steps=30).num_shown_steps == 30


def test_held_out_shots_default_to_those_of_training():
    assert changed(tasks__num_shots=7).eval_shots == 7
    assert changed(evaluation__num_shots=3).eval_shots == 3


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"preset is 'nope'; allowed: .*maml-sine"):
        preset_config("nope")


def test_a_recipe_is_recognised_by_its_parts():
    assert recipe_of(DEFAULT).name == "maml"
    assert recipe_of(changed(hypergradient__kind="first-order")).name == "fomaml"
    assert recipe_of(changed(inner__inner_lr=0.5)).name == "maml"
    assert recipe_of(changed(outer__optimizer="sgd")) is None


def test_every_default_is_the_one_of_its_component():
    assert DEFAULT.inner.build() == GradientDescent()


def test_the_version_is_written_down():
    assert DEFAULT.to_mapping()["version"] == config_module.CONFIG_VERSION == 2


def test_an_experiment_of_version_1_has_the_squared_error_at_both_levels():
    """Version 1 knew no other loss, and did not name it."""
    old = DEFAULT.to_mapping()
    del old["loss"], old["query_loss"]
    assert validated(old | {"version": 1}) == DEFAULT


def test_another_loss_of_queries_is_another_experiment():
    digests = {
        DEFAULT.digest(),
        changed(query_loss__kind="huber").digest(),
        changed(query_loss={"kind": "huber", "delta": 0.5}).digest(),
        changed(loss__kind="huber").digest(),
    }
    assert len(digests) == 4


@pytest.mark.parametrize("version", [0, 3, True, "2", 1.0, None])
def test_an_experiment_of_no_known_version_is_refused(version):
    with pytest.raises(ConfigError, match=r"^version is .*; allowed: "):
        validated(DEFAULT.to_mapping() | {"version": version})


@pytest.mark.parametrize(
    ("preset", "digest"),
    [
        ("maml-sine", "13536beca7fe1a01"),
        ("imaml-sine", "e7f8f0157619c306"),
        ("ridge-sine", "bf7c416e71f2943e"),
        ("mmaml-multimodal", "cdf25f5545218172"),
    ],
)
def test_a_digest_outlives_its_version(preset, digest):
    """Taken from 0.7.0: they stand in its run files and in the names of its studies."""
    assert preset_config(preset).digest() == digest
