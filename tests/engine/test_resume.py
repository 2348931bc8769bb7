"""Stop and go on equals a straight run, bit for bit."""

import pytest

from metalab.engine.events import EvaluationDone, RunStarted, StepsDone
from metalab.engine.trainer import Trainer, is_evaluation_step
from tests.support.experiments import PRESETS, constantly, record, run, same, small


def stopped_at(config, step, *, before_probe=False):
    """Return what a run said up to `step`, and its checkpoint there."""
    trainer = Trainer(config)
    heard = []
    events = trainer.run(lambda: max(1, min(4, step - trainer.step)))
    for event in events:
        heard.append(event)
        if trainer.step == step and (before_probe or isinstance(event, EvaluationDone)):
            break
        if trainer.step == step and not is_evaluation_step(trainer.config, step):
            break
    events.close()
    return heard, trainer.checkpoint()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("step", [1, 25, 40])
@pytest.mark.sampled(4)
def test_going_on_from_a_checkpoint_equals_a_straight_run(preset, step):
    config = small(preset)
    heard, checkpoint = stopped_at(config, step)
    assert checkpoint.step == step
    resumed = Trainer(config, checkpoint=checkpoint)
    rest = list(resumed.run(constantly(5)))
    assert isinstance(rest[0], RunStarted)
    assert rest[0].step == step
    straight_trainer = Trainer(config)
    straight = record(straight_trainer.run())
    pieced = record([*heard, *rest])
    assert same(pieced.rows(), straight.rows())
    assert same(pieced.probes, straight.probes)
    assert same(resumed.checkpoint(), straight_trainer.checkpoint())


@pytest.mark.parametrize("overrides", [{"run__precision": "float64"}, {}])
def test_momentum_and_precision_survive(overrides):
    config = small(
        "reptile-sine",
        outer__optimizer={"kind": "sgd", "outer_lr": 0.1, "momentum": 0.9},
        **overrides,
    )
    heard, checkpoint = stopped_at(config, 25)
    assert len(checkpoint.slots) == 1
    rest = Trainer(config, checkpoint=checkpoint).run()
    assert same(record([*heard, *rest]).rows(), run(config).rows())


@pytest.mark.parametrize("step", [7, 25])
def test_warm_up_decay_and_the_inner_ramp_survive(step):
    config = small(
        outer__optimizer__weight_decay=0.1,
        outer__schedule="cosine",
        outer__warmup_steps=30,
        outer__loss="multi-step",
        outer__annealing_steps=50,
        inner__num_inner_steps=4,
        outer__inner_ramp_steps=40,
        outer__inner_lr_start_factor=0.1,
        outer__num_inner_steps_start=1,
    )
    heard, checkpoint = stopped_at(config, step)
    resumed = Trainer(config, checkpoint=checkpoint)
    pieced, straight = record([*heard, *resumed.run(constantly(5))]), run(config)
    assert same(pieced.rows(), straight.rows())
    assert same(pieced.probes, straight.probes)


def test_a_probe_that_was_due_at_the_stop_is_made_up_for():
    config = small()
    heard, checkpoint = stopped_at(config, 20, before_probe=True)
    assert isinstance(heard[-1], StepsDone)
    resumed = Trainer(config, checkpoint=checkpoint)
    assert resumed.evaluation_due
    assert same(record([*heard, *resumed.run()]).probes, run(config).probes)


def test_between_probes_none_is_due():
    config = small()
    _, checkpoint = stopped_at(config, 25)
    resumed = Trainer(config, checkpoint=checkpoint)
    assert not resumed.evaluation_due
    assert isinstance(list(resumed.run(constantly(5)))[1], StepsDone)


def test_a_run_stopped_across_blocks_goes_on():
    config = small(outer__num_steps=300, outer__num_tasks=2)
    heard, checkpoint = stopped_at(config, 257)
    rest = Trainer(config, checkpoint=checkpoint).run()
    assert same(record([*heard, *rest]).rows(), run(config).rows())


def test_a_finished_run_ends_at_once():
    config = small()
    trainer = Trainer(config)
    list(trainer.run())
    again = Trainer(config, checkpoint=trainer.checkpoint())
    assert record(again.run()).metrics == {}
    assert same(again.checkpoint(), trainer.checkpoint())


def test_the_limit_of_an_explosion_does_not_depend_on_where_a_run_was_stopped():
    config = small()
    _, checkpoint = stopped_at(config, 40)
    straight, resumed = Trainer(config), Trainer(config, checkpoint=checkpoint)
    assert straight.explosion_limit == resumed.explosion_limit
