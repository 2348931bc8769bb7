"""Tasks drawn in a thread of their own."""

import threading

import numpy as np
import pytest
import torch

from metalab.engine.trainer import Trainer
from metalab.experiment.fields import with_overrides
from metalab.runs.running.prefetch import Prefetcher
from metalab.tasks.sinusoid import Sinusoid


@pytest.fixture
def ahead():
    made = Prefetcher()
    yield made
    made.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_work_is_done_in_another_thread_with_one_thread_of_torch(ahead):
    take = ahead(lambda: (threading.current_thread().name, torch.get_num_threads()))
    assert take() == ("ahead_0", 1)


def test_an_error_comes_when_the_tasks_are_taken(ahead):
    def draw():
        raise ArithmeticError("no tasks")

    take = ahead(draw)
    with pytest.raises(ArithmeticError, match="no tasks"):
        take()


def metrics_of(trainer) -> np.ndarray:
    rows = [e.metrics for e in trainer.run(lambda: 100) if hasattr(e, "metrics")]
    return np.concatenate(rows)


@pytest.mark.parametrize("num_tasks", [3, 4])
def test_a_run_has_the_same_numbers_and_draws_elsewhere(
    config, ahead, num_tasks, monkeypatch
):
    config = with_overrides(
        config,
        [
            ("run.provider", "fused"),
            ("outer.num_steps", 700),
            ("outer.num_tasks", num_tasks),
        ],
    )
    alone = metrics_of(Trainer(config))
    drawers, sampled = [], Sinusoid.sample_parameters

    def sample(family, num_tasks, **options):
        drawers.append((threading.current_thread().name, num_tasks))
        return sampled(family, num_tasks, **options)

    monkeypatch.setattr(Sinusoid, "sample_parameters", sample)
    beside = metrics_of(Trainer(config, ahead=ahead))
    np.testing.assert_array_equal(beside, alone)
    blocks = [name for name, count in drawers if count == 256 * num_tasks]
    # Three blocks are needed; a fourth may have been begun when the run ends.
    assert blocks[:3] == ["MainThread", "ahead_0", "ahead_0"]
    assert blocks[3:] in ([], ["ahead_0"])


def test_a_run_that_is_not_native_draws_in_its_turn(config):
    config = with_overrides(
        config, [("run.provider", "autodiff"), ("outer.num_steps", 3)]
    )

    def nobody(draw):
        raise AssertionError("automatic differentiation would be kept waiting")

    trainer = Trainer(config, ahead=nobody)
    assert len(metrics_of(trainer)) == 3
