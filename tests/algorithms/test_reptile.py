"""Reptile's presets have the settings of its sine demonstration."""

import math

import torch

from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family
from metalab.experiment.config import preset_config
from tests.support.oracles import generator

PAPER = preset_config("reptile-sine-paper")
GRID = torch.linspace(-5, 5, 50)


def test_a_task_is_the_whole_grid_in_an_order_of_its_own():
    family = build_family(PAPER)
    assert (family.phase_min, family.phase_max) == (0.0, 2 * math.pi)
    assert PAPER.tasks.num_shots == 50
    x = sample_batch(
        family, 8, num_shots=50, num_queries=10, generator=generator()
    ).support.x[..., 0]
    assert torch.equal(x.sort(dim=1).values, GRID.expand(8, -1))
    assert len(x.unique(dim=0)) == 8


def test_it_is_evaluated_on_the_grid_after_32_steps_on_10_points():
    evaluation = PAPER.evaluation
    assert (evaluation.query_inputs, evaluation.num_queries) == ("grid", 50)
    assert (PAPER.eval_shots, evaluation.num_inner_steps) == (10, 32)


def test_the_learner_is_that_of_the_demonstration():
    assert PAPER.model.options()["hidden_sizes"] == (64, 64)
    assert PAPER.model.options()["activation"] == "tanh"
    inner = PAPER.inner.options()
    assert (inner["num_inner_steps"], inner["inner_batch_size"]) == (5, 10)
    assert inner["inner_lr"] == 0.02
    outer = PAPER.outer
    assert (outer.num_tasks, outer.num_steps, outer.schedule) == (1, 30_000, "linear")
    assert outer.optimizer.options()["outer_lr"] == 0.1
