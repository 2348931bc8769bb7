"""Advice after a divergence fits what blew up, and mends it."""

import pytest

from metalab.analysis.advice import Change, advice, in_words
from metalab.catalog.slots import SLOTS
from metalab.engine.events import METRICS, Diverged
from metalab.engine.steppers import BLAME_ORDER
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, fields_of, with_overrides
from tests.support.experiments import small

ANCHOR = {"meta__kind": "anchor", "meta__strength": 1.0}
SERIES = {"kind": "implicit-neumann", "step_size": 1.0, "num_terms": 100}
SGD = {"kind": "sgd", "outer_lr": 5.0}
LEARNED = {"kind": "learned-descent", "inner_lr": 5.0, "num_inner_steps": 5}


def divergence(config):
    for event in Trainer(config).run(lambda: 4):
        if isinstance(event, Diverged):
            return event
    return None


def followed(config, change):
    """Return the experiment after taking advice, by a factor of ten."""
    factor = 0.1 if change.change is Change.LOWER else 10
    return with_overrides(config, [(change.path, change.value * factor)])


@pytest.mark.parametrize(
    ("changes", "quantities", "path"),
    [
        (
            {"inner__inner_lr": 5.0},
            ("support_loss_after", "outer_loss"),
            "inner.inner_lr",
        ),
        (
            {"inner__inner_lr": 2.0, "inner__num_inner_steps": 60},
            ("adaptation_distance",),
            "inner.inner_lr",
        ),
        (
            {**ANCHOR, "hypergradient": SERIES},
            ("hypergradient_norm",),
            "hypergradient.step_size",
        ),
        (
            {"outer__optimizer": SGD},
            ("support_loss_before",),
            "outer.optimizer.outer_lr",
        ),
        ({"inner": LEARNED}, ("adaptation_distance",), "inner.inner_lr"),
    ],
)
def test_the_first_advice_is_of_what_blew_up_and_helps(changes, quantities, path):
    config = small(**changes)
    found = divergence(config)
    assert found.quantity in quantities
    assert advice(config, found)[0].path == path
    for _ in range(3):
        config = followed(config, advice(config, found)[0])
        found = divergence(config)
        if found is None:
            return
    raise AssertionError("it still diverges: " + found.message)


def everything():
    """Yield an experiment with each component that can stand in one."""
    for slot, registry in SLOTS.items():
        for kind in registry.components:
            for meta, inner in (
                ("initialisation", "gradient-descent"),
                ("anchor", "gradient-descent"),
                ("ridge-head", "closed-form"),
            ):
                choice = {"meta.kind": meta, "inner.kind": inner, f"{slot}.kind": kind}
                try:
                    yield with_overrides(ExperimentConfig(), list(choice.items()))
                except ConfigError:
                    continue


def blown(quantity, step=7):
    return Diverged(
        step=step, last_good_step=step - 1, quantity=quantity, value=float("inf")
    )


def test_it_is_about_settings_that_the_experiment_has():
    count = 0
    for config in everything():
        known = {info.path: info.value for info in fields_of(config)}
        for quantity in BLAME_ORDER:
            for step in (1, 7):
                changes = advice(config, blown(quantity, step))
                for change in changes:
                    assert known[change.path] == change.value
                assert len({change.path for change in changes}) == len(changes)
                moves = config.outer.optimizer.component.moves
                assert changes or not moves, (config.inner.kind, quantity)
                count += 1
    print(f"{count} divergences, each advised on what there is")


def test_every_quantity_that_is_blamed_is_a_metric_that_advice_knows():
    assert set(BLAME_ORDER) <= {info.name for info in METRICS}


@pytest.mark.parametrize("quantity", BLAME_ORDER)
def test_a_closed_form_has_no_rate_to_lower(quantity):
    changes = advice(small("ridge-sine"), blown(quantity))
    assert "inner.inner_lr" not in [change.path for change in changes]


def test_the_estimate_is_blamed_for_itself_alone():
    for kind, path in (
        ("implicit-neumann", "hypergradient.step_size"),
        ("implicit-cg", "hypergradient.damping"),
        ("unrolled", "inner.inner_lr"),
    ):
        config = small(**ANCHOR, hypergradient={"kind": kind})
        assert advice(config, blown("hypergradient_norm"))[0].path == path
        assert advice(config, blown("outer_loss"))[0].path == "inner.inner_lr"


def test_learned_rates_are_what_the_outer_loop_made_of_them():
    config = small(inner={"kind": "learned-descent"})
    first, later = (advice(config, blown("outer_loss", step)) for step in (1, 500))
    assert first[0].path == "inner.inner_lr"
    assert later[0].path == "outer.optimizer.outer_lr"


def test_who_moves_no_phi_is_not_told_to_move_it_less():
    config = small("scratch-sine")
    changes = advice(config, blown("outer_loss"))
    assert [change.path for change in changes] == ["inner.inner_lr"]
    assert advice(config, blown("support_loss_before")) == ()
    assert in_words(()) == ""


def test_words_name_paths_or_labels():
    config = small(inner__momentum=0.9, outer__clip_norm=1.0)
    changes = advice(config, blown("outer_loss"))
    assert in_words(changes) == (
        "Lower inner.inner_lr (now 0.01): an inner loop diverges above 2/L, L the "
        "largest eigenvalue of its loss's Hessian. Or lower inner.momentum (now 0.9), "
        "or lower outer.optimizer.outer_lr (now 0.001)."
    )
    assert in_words(changes, by_label=True).startswith("Lower Inner lr (now 0.01): ")
