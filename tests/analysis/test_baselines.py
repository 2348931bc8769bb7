"""Rivals of a run, on the same tasks and the same support sets."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.analysis import baselines as module
from metalab.analysis.baselines import (
    baselines,
    compare_with_baselines,
    experiment_of,
    gaussian_process,
    mixed_model,
)
from metalab.analysis.evaluate import NUM_DRAWS
from metalab.analysis.rivals import LeftOut
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides


def trained(preset, *changes):
    config = with_overrides(
        preset_config(preset), [("run.precision", "float64"), *changes]
    )
    trainer = Trainer(config)
    for _ in trainer.run():
        pass
    return config, trainer.checkpoint()


def compared(config, checkpoint, **changes):
    said = []
    counts = {"num_inner_steps": 1, "num_tasks": 600, **changes}
    found = list(compare_with_baselines(config, checkpoint, tell=said.append, **counts))
    return found, said


@pytest.fixture
def quick(monkeypatch):
    """Train rivals for a few steps."""

    def short(config, degree):
        return [
            replace(one, steps=min(one.steps, 3)) for one in baselines(config, degree)
        ]

    monkeypatch.setattr(module, "baselines", short)


def lines_by_numpy(config):
    """Return the loss of a line through each support set, by other code."""
    family = build_family(config).held_out()
    found = []
    for draw in range(NUM_DRAWS):
        batch = sample_batch(
            family,
            600,
            num_shots=config.eval_shots,
            num_queries=config.evaluation.num_queries,
            generator=RandomStreams(draw).generator("fresh tasks"),
            dtype=torch.float64,
        )
        losses = []
        for task in range(batch.num_tasks):
            x, y = (
                batch.support.x[task, :, 0].numpy(),
                batch.support.y[task, :, 0].numpy(),
            )
            line = np.polynomial.polynomial.Polynomial.fit(x, y, 1)
            wanted = batch.query.y[task, :, 0].numpy()
            losses.append(
                np.mean((line(batch.query.x[task, :, 0].numpy()) - wanted) ** 2)
            )
        found.append(losses)
    return np.mean(found, axis=0)


def test_a_rival_is_measured_on_the_tasks_of_the_run(quick):
    config, checkpoint = trained("least-squares-gapminder", ("outer.num_steps", 1))
    rows, said = compared(config, checkpoint)
    assert [row.title for row in rows] == list(dict.fromkeys(d.title for d in said))
    assert {"measuring, support set 20 of 20 a task", "preparing"} <= {
        doing.words for doing in said
    }
    assert any(doing.words == "training, outer step 3 of 3" for doing in said)
    mine, _, line, _, _ = rows
    assert mine.is_run
    assert not line.is_run
    assert np.allclose(mine.losses, lines_by_numpy(config), rtol=1e-3)
    # The run is that very rival: the same losses, task by task.
    assert np.allclose(mine.losses, line.losses, rtol=1e-12)
    assert line.difference == pytest.approx(0, abs=1e-12)
    assert {len(row.losses) for row in rows} == {28}
    assert all(row.rmse > 0 for row in rows)


def test_rivals_go_with_families_too(quick):
    config, checkpoint = trained(
        "maml-sine", ("outer.num_steps", 2), ("evaluation.num_tasks", 16)
    )
    rows, _ = compared(config, checkpoint, num_tasks=20)
    assert len(rows) == 5
    assert all(np.isfinite(row.mean) for row in rows)
    assert all(row.rmse is None for row in rows)


def test_a_rival_keeps_tasks_seed_and_evaluation():
    config = with_overrides(
        preset_config("maml-gapminder"), [("run.seed", 7), ("tasks.family.fold", 2)]
    )
    rival = experiment_of(config, mixed_model(2))
    assert rival.tasks == config.tasks
    assert rival.run.seed == 7
    assert rival.model.options()["degree"] == 2


def test_a_rival_that_does_not_go_with_the_tasks_is_left_out_with_the_reason(quick):
    """Three inputs: products of 32 functions are too many."""
    config, checkpoint = trained(
        "maml-sine",
        ("tasks.family", {"kind": "linear-regression", "num_features": 3}),
        ("outer.num_steps", 2),
    )
    rows, _ = compared(config, checkpoint, num_tasks=8)
    (left,) = (row for row in rows if isinstance(row, LeftOut))
    assert "Gaussian process" in left.title
    assert "32 basis functions of each of 3 inputs" in left.reason


def test_the_basis_of_the_process_spans_the_inputs_of_the_tasks():
    config = preset_config("maml-sine")
    rival = experiment_of(config, gaussian_process(config)).model.options()
    assert 29 < rival["boundary"] <= 30
    assert 2 < rival["length_scale"] <= 2.5


def test_giving_up_is_told_from_within(quick):
    config, checkpoint = trained("maml-gapminder", ("outer.num_steps", 1))

    def stop(doing):
        if doing.num_steps:
            raise InterruptedError

    found = compare_with_baselines(config, checkpoint, num_inner_steps=1, tell=stop)
    assert next(found).is_run
    with pytest.raises(InterruptedError):
        next(found)
