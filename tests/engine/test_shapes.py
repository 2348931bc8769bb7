"""The shapes that a file is held to are those that a run makes."""

import numpy as np
import pytest

from metalab.catalog.recipes import presets
from metalab.engine.diagnostics import diagnostic_order
from metalab.engine.events import DiagnosticsTaken, EvaluationDone, RunStarted
from metalab.engine.shapes import (
    diagnostic_names,
    evaluation_shapes,
    held_out_shapes,
    state_shapes,
)
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides


@pytest.mark.parametrize("name", presets())
def test_a_run_of_every_preset_has_them(name):
    config = with_overrides(
        preset_config(name),
        [
            ("evaluation.num_tasks", 16),
            ("evaluation.num_queries", 7),
            ("diagnostics.every", 1),
            ("diagnostics.num_power_iterations", 1),
            ("outer.num_tasks", 2),
        ],
    )
    events = Trainer(config, provider="autodiff").run()
    started, probe, diagnostics = (next(events) for _ in range(3))
    assert isinstance(started, RunStarted)
    arrays = started.held_out_tasks.arrays()
    shapes = {key: array.shape for key, array in arrays.items()}
    assert shapes == held_out_shapes(config)
    assert isinstance(probe, EvaluationDone)
    for key, shape in evaluation_shapes(config).items():
        assert getattr(probe.evaluation, key).shape == shape, key
    state = probe.snapshot
    arrays = {"phi": state.phi, **{f"slot{i}": s for i, s in enumerate(state.slots)}}
    shapes = {key: np.shape(array) for key, array in arrays.items()}
    assert shapes == state_shapes(config)
    assert isinstance(diagnostics, DiagnosticsTaken)
    assert set(diagnostics.values) <= diagnostic_names(config)
    assert len(diagnostic_order(diagnostic_names(config)))
