"""Fields that change while a run goes on."""

import numpy as np
import pytest

from metalab.core.learner import METRIC_NAMES
from metalab.engine.events import Diverged, RunEnded, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edit import Edit
from metalab.experiment.edits import LIVE_FIELDS, EditError, edited, live_fields
from metalab.experiment.fields import ConfigError
from tests.support.experiments import constantly, record, same, small

LR = "outer.optimizer.outer_lr"


def edited_run(config, edits, pace=7):
    """Run and change fields by hand at their steps; return the events."""
    trainer = Trainer(config)
    waiting = list(edits)
    events = []
    due = [edit.step for edit in edits]

    def pace_to_edit():
        left = [step - trainer.step for step in due if step > trainer.step]
        return min([pace, *left])

    for event in trainer.run(pace_to_edit):
        events.append(event)
        while waiting and waiting[0].step == trainer.step:
            if not isinstance(event, StepsDone):
                # Probes of a step come before its edits.
                pass
            edit = waiting.pop(0)
            assert trainer.edit(edit.path, edit.value) == edit
    return trainer, record(events)


@pytest.mark.parametrize("provider", ["fused", "autodiff"])
def test_an_edited_run_replays_bit_for_bit(provider):
    config = small(run__provider=provider)
    edits = [
        Edit(step=13, path=LR, value=0.03),
        Edit(step=30, path="inner.inner_lr", value=0.2),
        Edit(step=31, path="outer.clip_norm", value=0.5),
    ]
    by_hand, told = edited_run(config, edits)
    again = Trainer(ConfigHistory(config, edits))
    replayed = record(again.run(constantly(11)))
    assert same(told.rows(), replayed.rows())
    assert same(by_hand.checkpoint(), again.checkpoint())
    straight = Trainer(config)
    plain = record(straight.run(constantly(11)))
    assert same(told.rows()[:13], plain.rows()[:13])
    assert not same(by_hand.checkpoint().phi, straight.checkpoint().phi)


@pytest.mark.parametrize("at", [0, 20, 29, 30, 45])
def test_a_resumed_run_keeps_its_edits(at):
    config = small()
    edits = [Edit(step=20, path=LR, value=0.05), Edit(step=30, path=LR, value=1e-4)]
    straight = Trainer(ConfigHistory(config, edits))
    states = {}
    for event in straight.run(constantly(1)):
        if isinstance(event, StepsDone):
            states[event.last_step] = straight.checkpoint()
    begun = Trainer(ConfigHistory(config, edits), checkpoint=states.get(at))
    assert isinstance(list(begun.run(constantly(9)))[-1], RunEnded)
    assert same(begun.checkpoint(), straight.checkpoint())


def test_an_edit_that_a_divergence_goes_back_behind_stays_in_force():
    config = small(outer__optimizer={"kind": "sgd", "outer_lr": 0.01})
    trainer = Trainer(config)
    for event in trainer.run(constantly(5)):
        if isinstance(event, StepsDone) and event.last_step == 10:
            trainer.edit(LR, 10.0)
        if isinstance(event, Diverged):
            break
    assert event.step <= 14
    assert trainer.config.outer.optimizer.outer_lr == 10.0


def test_fields_that_make_the_state_what_it_is_do_not_change():
    config = small()
    with pytest.raises(EditError, match=r"model.hidden_sizes cannot change .* allowed"):
        edited(config, [Edit(step=0, path="model.hidden_sizes", value=3)])
    with pytest.raises(ConfigError, match="outer_lr"):
        Trainer(config).edit(LR, -1.0)


def test_only_what_has_an_effect_may_change():
    assert "inner.inner_lr" in live_fields(small())
    assert "inner.inner_lr" not in live_fields(small("meta-sgd-sine"))
    assert set(live_fields(small("reptile-sine"))) <= set(LIVE_FIELDS)


def test_a_refused_edit_changes_nothing():
    config = small()
    trainer = Trainer(config)
    with pytest.raises(ConfigError):
        trainer.edit(LR, -1.0)
    rows = record(trainer.run(constantly(9))).rows()
    assert same(rows, record(Trainer(config).run(constantly(9))).rows())
    assert np.isfinite(rows[:, : len(METRIC_NAMES)]).all()
