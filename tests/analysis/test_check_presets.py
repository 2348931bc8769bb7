"""Does a preset learn: what is compared, and what is told of one that does not."""

import numpy as np
import pytest

from metalab.analysis import check_presets
from metalab.analysis.check_presets import HeldOutLoss, Verdict, check_preset, summaries
from metalab.catalog.recipes import presets
from metalab.core.errors import UserError
from metalab.engine.events import EvaluationDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides


@pytest.fixture
def shrunk(monkeypatch):
    """Make presets small, with further fields as given."""

    def use(**overrides):
        fields = {
            "model.hidden_sizes": [8],
            "evaluation.num_tasks": 16,
            "evaluation.num_queries": 10,
        }
        fields |= {path.replace("__", "."): v for path, v in overrides.items()}
        monkeypatch.setattr(
            check_presets,
            "preset_config",
            lambda name: with_overrides(preset_config(name), list(fields.items())),
        )

    return use


def held_out(config, num_steps):
    """Return the mean query losses at outer steps 0 and `num_steps`, [inner step]."""
    means = {}
    for event in Trainer(config).run():
        if isinstance(event, EvaluationDone):
            means[event.evaluation.step] = event.evaluation.query_loss.mean(axis=0)
            if event.evaluation.step == num_steps:
                break
    return means[0], means[num_steps]


@pytest.mark.parametrize("name", ["maml-sine", "reptile-sine"])
def test_a_preset_that_learns_is_compared_over_training(shrunk, name):
    shrunk(run__seed=5)
    result = check_preset(name, num_steps=60)
    assert result.passed
    assert (result.name, result.over) == (name, "training")
    assert result.seconds > 0
    assert result.message == ""
    config = with_overrides(
        check_presets.preset_config(name), [("run.seed", 0), ("evaluation.every", 60)]
    )
    first, last = held_out(config, 60)
    k = config.num_inner_steps
    assert result.before == pytest.approx(first[k], rel=1e-6)
    assert result.after == pytest.approx(last[k], rel=1e-6)


def test_where_phi_stays_the_loss_falls_over_adaptation(shrunk):
    shrunk(outer__optimizer={"kind": "none"})
    result = check_preset("maml-sine", num_steps=3)
    assert result.over == "adaptation"
    assert result.passed
    config = with_overrides(
        check_presets.preset_config("maml-sine"), [("evaluation.every", 3)]
    )
    _, last = held_out(config, 3)
    assert result.before == pytest.approx(last[0], rel=1e-6)
    assert result.after == pytest.approx(last[config.num_inner_steps], rel=1e-6)


def test_a_preset_that_plans_fewer_steps_makes_those(shrunk):
    shrunk(outer__num_steps=20)
    assert check_preset("maml-sine", num_steps=60).after == (
        check_preset("maml-sine", num_steps=20).after
    )


def test_a_preset_that_does_not_learn_is_told(shrunk):
    shrunk(outer__optimizer__outer_lr=1e-30)
    result = check_preset("maml-sine", num_steps=5)
    assert result.verdict is Verdict.DOES_NOT_FALL
    assert not result.passed
    assert result.after == result.before


def test_a_run_that_diverges_is_told_and_ended(shrunk):
    shrunk(inner__inner_lr=10.0, inner__num_inner_steps=5)
    result = check_preset("maml-sine", num_steps=60)
    assert result.verdict is Verdict.DIVERGED
    assert not result.passed
    assert "at outer step" in result.message


def test_the_whole_length_is_made_from_the_seed_asked_for(shrunk):
    shrunk(outer__num_steps=20)
    result = check_preset("maml-sine", num_steps=None, seed=3)
    assert (result.seed, result.num_steps, result.step) == (3, 20, 20)
    assert result.after != check_preset("maml-sine", num_steps=None).after


def test_a_run_that_diverges_tells_how_far_it_came(shrunk):
    shrunk(outer__optimizer={"kind": "sgd", "outer_lr": 10.0}, inner__inner_lr=0.1)
    result = check_preset("maml-sine", num_steps=60)
    assert result.diverged is not None
    assert result.step == result.diverged.last_good_step < 60


def test_the_losses_of_tasks_are_summed_up_beside_the_mean():
    losses = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1e6])
    summary = HeldOutLoss.of(losses)
    assert summary.mean == pytest.approx(losses.mean())
    assert summary.median == 4.5
    assert summary.interquartile_mean == pytest.approx((3 + 4 + 5 + 6) / 4)


def test_seeds_are_summed_up_by_preset(shrunk):
    shrunk(outer__num_steps=5)
    names = ("maml-sine", "reptile-sine")
    checks = [check_preset(n, num_steps=None, seed=s) for n in names for s in (0, 1)]
    first, second = summaries(checks)
    assert (first.name, second.name) == names
    ends = [check.after for check in checks[:2]]
    assert first.mean == pytest.approx(np.mean(ends))
    assert first.deviation == pytest.approx(abs(ends[0] - ends[1]) / np.sqrt(2))
    assert first.num_diverged == 0


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", presets())
def test_every_preset_holds_and_learns_to_its_end(name):
    result = check_preset(name, num_steps=None)
    assert result.diverged is None, result.message
    assert result.passed


def test_an_unknown_preset_is_refused():
    with pytest.raises(UserError, match="preset is 'nobody'; allowed: "):
        check_preset("nobody")
