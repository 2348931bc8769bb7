"""`run.metrics` leaves out what no update needs, and changes nothing else."""

import numpy as np
import pytest

from metalab.core.learner import METRIC_NAMES, SPARED
from metalab.engine.events import Diverged, StepsDone
from metalab.engine.trainer import Trainer
from tests.support.experiments import small


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
def test_the_rest_is_bit_for_bit_the_same(provider):
    rows = {}
    for metrics in ("all", "essential"):
        config = small(run__metrics=metrics, run__provider=provider)
        events = [e for e in Trainer(config).run() if isinstance(e, StepsDone)]
        rows[metrics] = np.concatenate([event.metrics for event in events])
    names = set(range(rows["all"].shape[1]))
    kept = sorted(names - set(SPARED))
    np.testing.assert_array_equal(rows["all"][:, kept], rows["essential"][:, kept])
    assert np.isnan(rows["essential"][:, SPARED]).all()
    assert np.isfinite(rows["all"][:, : len(METRIC_NAMES)]).all()


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
def test_divergence_is_blamed_on_what_was_measured(provider):
    config = small(
        run__metrics="essential",
        run__provider=provider,
        inner__num_inner_steps=5,
        outer__optimizer={"kind": "sgd", "outer_lr": 10.0},
    )
    events = Trainer(config).run()
    diverged = next(event for event in events if isinstance(event, Diverged))
    assert diverged.quantity not in [METRIC_NAMES[place] for place in SPARED]
