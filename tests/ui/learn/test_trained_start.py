"""What comes trained with metalab."""

import numpy as np
import pytest

from metalab.runs.record.status import RunStatus
from metalab.ui.learn.cards import all_cards
from metalab.ui.learn.experiments import config_of
from metalab.ui.learn.trained_start import CARD, trained_start


def test_it_is_the_cards_experiment_and_adapts_well():
    history = trained_start()
    assert history.config_at() == config_of(all_cards()[CARD])
    assert history.status is RunStatus.STOPPED
    assert history.step == 1_000
    assert history.path is None
    assert len(history.steps) == 0
    assert history.held_out_tasks is not None
    assert history.curves is not None
    assert history.curves.step == 1_000
    assert np.isfinite(history.curves.curves).all()
    # As in the lesson on what the outer loop learns.
    loss = history.evaluations.query_mean[-1]
    assert loss[[0, 1, 10]].tolist() == pytest.approx([3.28, 1.64, 0.78], rel=0.02)
