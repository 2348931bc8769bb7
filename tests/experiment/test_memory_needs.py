"""What an experiment asks for, from its settings alone."""

import pytest

from metalab.catalog.recipes import presets
from metalab.engine.build import build_family, build_learner, check_fits
from metalab.engine.trainer import Trainer
from metalab.experiment import memory_needs
from metalab.experiment.config import preset_config
from metalab.experiment.fields import ConfigError, with_overrides
from metalab.experiment.memory_needs import (
    MemoryNeedError,
    available_bytes,
    check_bytes,
    evaluation_bytes,
    sizes_of,
    training_bytes,
)
from metalab.experiment.share_code import experiment_of_code, share_code
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment

GIB = 2**30


@pytest.mark.parametrize("name", presets())
def test_sizes_are_those_of_the_parts(name):
    config = preset_config(name)
    learner, sizes = build_learner(config), sizes_of(config)
    problem = learner.problem
    assert sizes.inner_dim == sum(block.size for block in problem.adapted)
    rates = learner.inner.meta_dim(problem.adapted)
    assert sizes.meta_dim == problem.meta_dim + rates
    extra = config.meta.build().extra_inputs
    assert sizes.num_inputs == build_family(config).input_dim + extra
    assert training_bytes(config) < 0.1 * GIB
    assert evaluation_bytes(config) < 0.1 * GIB


def test_what_a_step_holds_by_hand():
    config = with_overrides(
        preset_config("maml-sine"),
        [("model.hidden_sizes", [8]), ("outer.num_tasks", 3), ("tasks.num_shots", 5)],
    )
    dim = (1 * 8 + 8) + (8 * 1 + 1)
    # theta, its gradient, theta_1, the row of the hypergradient; 15 points.
    one = 3 * dim + dim + (5 + 10) * (1 + 1 + 8)
    assert config.tasks.num_queries == 10
    assert config.num_inner_steps == 1
    assert training_bytes(config) == 4 * (3 * one + 4 * dim)


@pytest.mark.parametrize(
    "changes",
    [
        [("model.hidden_sizes", [4096] * 64)],
        [("outer.num_tasks", 100_000), ("tasks.num_queries", 10_000)],
        [("inner.num_inner_steps", 1000), ("outer.num_tasks", 100_000)],
    ],
)
def test_an_experiment_for_no_machine_is_refused_everywhere(changes):
    config = preset_config("maml-sine")
    with pytest.raises(ConfigError, match=r"takes at least .* GiB; allowed: 64.0 GiB"):
        with_overrides(config, changes)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.hidden_sizes", [10**9]),
        ("model.hidden_sizes", [1] * 65),
        ("outer.num_tasks", 10**12),
        ("evaluation.num_tasks", 10**12),
        ("inner.num_inner_steps", 10**9),
    ],
)
def test_bounds_come_before_any_estimate(path, value):
    with pytest.raises(ConfigError, match=rf"{path} .*allowed: "):
        with_overrides(preset_config("maml-sine"), [(path, value)])


def test_a_large_experiment_is_still_an_experiment():
    changes = [("model.hidden_sizes", [4096, 4096]), ("outer.num_tasks", 4)]
    config = with_overrides(preset_config("maml-sine"), changes)
    assert experiment_of_code(share_code(config)) == config


def test_what_a_machine_cannot_hold_is_refused_before_anything_is_made(
    monkeypatch, tmp_path
):
    config = preset_config("maml-sine")
    monkeypatch.setattr(memory_needs, "available_bytes", lambda: 2**20)
    with pytest.raises(MemoryNeedError, match=r"'maml-sine' takes at least .* GiB"):
        check_fits(config, trains=True)
    with pytest.raises(MemoryNeedError):
        Trainer(config)
    path = tmp_path / "a.metalab"
    with pytest.raises(MemoryNeedError):
        run_experiment(LiveRun(config, path=path), RunControl())
    assert not path.exists()


def test_a_machine_tells_what_it_has():
    assert 0.1 * GIB < available_bytes() <= memory_needs.MOST_BYTES
    check_bytes(2**20, "little")
    with pytest.raises(MemoryNeedError, match=r"much takes at least 64\.0 GiB"):
        check_bytes(64 * GIB, "much")
