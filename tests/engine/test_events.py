"""What a run says."""

import numpy as np
import pytest

from metalab.engine.events import METRICS, Diverged, StepsDone, frozen
from metalab.experiment.loss_words import LossWords


def test_every_metric_is_described():
    assert len({info.name for info in METRICS}) == len(METRICS)
    for info in METRICS:
        assert info.label
        assert info.help.endswith(".")
        unit = info.unit_in(LossWords(support_unit="a", query_unit="b"))
        losses = {"support": "a", "query": "b", None: "1"}
        assert unit == losses[info.level]
        assert (info.level is not None) == ("loss" in info.name)


def test_steps_are_numbered_from_one():
    event = StepsDone(first_step=1, metrics=np.zeros((3, len(METRICS))))
    assert event.last_step == 3


def test_a_frozen_array_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        frozen(np.zeros(2))[0] = 1


@pytest.mark.parametrize("info", METRICS)
def test_any_metric_can_be_blamed(info):
    event = Diverged(step=2, last_good_step=0, quantity=info.name, value=1e30)
    assert event.message.startswith(f"{info.label} became 1e+30 at outer step 2;")
