"""The picture of every preset says the truth about its method."""

import subprocess
import sys
from itertools import pairwise

import pytest

from metalab.catalog.recipes import presets
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.hypergradient.route import Route
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.structure.blueprint import blueprint_of
from metalab.figures.structure.model import (
    Flow,
    PartKey,
    Structure,
    numbers_of,
)
from metalab.figures.structure.sentences import route_sentence
from tests.support.histories import make_history, starting

BACK_TO_H = PartKey.HYPERGRADIENT


def structure(name: str, *changes: tuple[str, object], step: int = 0) -> Structure:
    config = with_overrides(preset_config(name), changes)
    return blueprint_of(config).structure(step)


def back(shown: Structure) -> set[tuple[PartKey, PartKey]]:
    return {(a.source, a.target) for a in shown.arrows if a.flow is Flow.BACK}


def entered(shown: Structure) -> set[PartKey]:
    return {a.target for a in shown.arrows if a.flow is Flow.LEARNED}


@pytest.mark.parametrize("name", list(presets()))
def test_every_preset_has_a_whole_picture(name: str):
    config = preset_config(name)
    shown = blueprint_of(config).structure()
    for arrow in shown.arrows:
        assert {arrow.source, arrow.target} <= shown.parts
    assert shown.learned | shown.idle <= shown.parts
    assert shown.formula
    assert shown.settings.num_inner_steps == config.num_inner_steps
    assert shown.settings.num_shots == config.tasks.num_shots
    # Something arrives at the hypergradient, and leaves it.
    assert BACK_TO_H in {target for _, target in back(shown)}
    assert (BACK_TO_H, PartKey.UPDATE) in back(shown)
    assert ((PartKey.UPDATE, PartKey.META) in back(shown)) == shown.moves


@pytest.mark.parametrize("name", HYPERGRADIENTS.components)
def test_every_estimator_has_a_route_and_a_formula(name: str):
    estimator = HYPERGRADIENTS.components[name]
    assert isinstance(estimator.route, Route)
    assert estimator.formula


def test_maml_goes_back_through_every_step():
    shown = structure("maml-sine")
    way = [PartKey.LOSS, PartKey.END, PartKey.STEP, PartKey.START, BACK_TO_H]
    assert set(pairwise(way)) <= back(shown)
    assert shown.learned == {PartKey.META, PartKey.START}
    assert shown.formula == "(I − α ∇²ℓ(φ)) ∇f(θ_1)"
    assert "θ_{K−1}" in structure("maml-sine", ("inner.num_inner_steps", 5)).formula


def test_a_formula_with_alpha_alone_is_for_plain_steps_alone():
    shown = structure("maml-sine", ("inner.momentum", 0.5))
    assert shown.formula == "(dθ_K/dφ)^T ∇f(θ_K)"


def test_fomaml_stops_at_the_adapted_parameters():
    shown = structure("fomaml-sine")
    assert (PartKey.END, PartKey.STEP) not in back(shown)
    straight = [a for a in shown.arrows if a.straight]
    assert [(a.source, a.target) for a in straight] == [(PartKey.END, BACK_TO_H)]
    assert shown.formula == "∇f(θ_K)"


def test_reptile_takes_a_difference_and_never_the_query_loss():
    shown = structure("reptile-sine")
    assert {s for s, t in back(shown) if t is BACK_TO_H} == {
        PartKey.START,
        PartKey.END,
    }
    assert not any(source is PartKey.LOSS for source, _ in back(shown))
    assert shown.idle == {PartKey.QUERY, PartKey.LOSS}
    assert shown.formula == "θ_0 − θ_K"


def test_imaml_solves_a_system_at_the_end_and_leaves_the_steps_alone():
    shown = structure("imaml-sine")
    assert PartKey.SOLVE in shown.parts
    assert (PartKey.END, PartKey.SOLVE) in back(shown)
    assert (PartKey.SOLVE, BACK_TO_H) in back(shown)
    assert not any(PartKey.STEP in pair for pair in back(shown))
    assert entered(shown) == {PartKey.START, PartKey.STEP}
    assert shown.formula == "−B^T q,  H q = ∇f(θ_K)"


def test_cavia_adapts_a_context_from_zero_and_learns_the_network():
    shown = structure("cavia-sine")
    assert shown.zero_start
    assert entered(shown) == {PartKey.STEP, PartKey.LOSS}
    assert shown.learned == {PartKey.META}
    assert shown.settings.num_adapted == 5
    assert (PartKey.LOSS, BACK_TO_H) in back(shown)
    assert (PartKey.STEP, PartKey.START) not in back(shown)


def test_anil_adapts_the_head_alone():
    shown = structure("anil-sine")
    assert shown.settings.num_adapted == 41
    assert entered(shown) == {PartKey.START, PartKey.STEP, PartKey.LOSS}


def test_meta_sgd_learns_the_rates_of_the_step():
    shown = structure("meta-sgd-sine")
    assert shown.learned == {PartKey.META, PartKey.START, PartKey.STEP}
    assert shown.settings.num_meta == 2 * shown.settings.num_network
    assert (PartKey.STEP, BACK_TO_H) in back(shown)


def test_a_closed_form_is_passed_at_its_solution():
    shown = structure("ridge-sine")
    assert shown.solved
    assert shown.route is Route.SOLUTION
    assert PartKey.SOLVE not in shown.parts
    assert (PartKey.STEP, BACK_TO_H) in back(shown)
    assert shown.settings.inner_lr is None


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("squared-error", ""),
        ("gaussian", ""),
        ("huber", "The second derivative of the inner loss jumps"),
        ("absolute-error", "The derivative of the inner loss jumps"),
    ],
)
def test_jumps_of_the_inner_loss_are_said_where_they_are_met(loss: str, said: str):
    sentence = route_sentence(structure("maml-sine", ("loss.kind", loss)))
    assert said in sentence
    assert ("jump" in sentence) == bool(said)
    first_order = structure("fomaml-sine", ("loss.kind", loss))
    of_queries = structure("maml-sine", ("query_loss.kind", loss))
    for other in (first_order, of_queries):
        assert "jump" not in route_sentence(other)


def test_joint_training_leaves_the_inner_loop_aside():
    shown = structure("pretrain-sine")
    assert {PartKey.STEP, PartKey.END, PartKey.SUPPORT} <= shown.idle
    assert (PartKey.LOSS, PartKey.START) in back(shown)
    assert shown.formula == "∇f(θ_0)"


def test_from_scratch_nothing_is_learned():
    shown = structure("scratch-sine")
    assert not shown.moves
    assert shown.learned == frozenset()


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("truncated", Route.LAST_STEPS),
        ("forward-mode", Route.FORWARDS),
        ("evolution", Route.VALUES),
        ("checkpointed", Route.EVERY_STEP),
    ],
)
def test_other_estimators_have_other_ways(kind: str, route: Route):
    shown = structure("maml-sine", ("hypergradient.kind", kind))
    assert shown.route is route
    assert BACK_TO_H in {target for _, target in back(shown)}


def test_what_changes_over_training_is_that_of_the_step():
    changes = (
        ("outer.first_order_steps", 10),
        ("outer.schedule", "linear"),
        ("outer.inner_ramp_steps", 100),
        ("outer.inner_lr_start_factor", 0.25),
    )
    config = with_overrides(preset_config("maml-sine"), changes)
    blueprint = blueprint_of(config)
    first, later = blueprint.structure(0), blueprint.structure(35_000)
    assert (first.route, later.route) == (Route.STRAIGHT, Route.EVERY_STEP)
    assert later.settings.outer_lr == pytest.approx(0.5 * first.settings.outer_lr)
    assert first.settings.inner_lr == pytest.approx(0.25 * later.settings.inner_lr)
    assert structure("maml-plus-plus-sine").every_step_counts
    assert not structure("maml-plus-plus-sine", step=5_000).every_step_counts


def test_numbers_are_those_of_the_newest_outer_step():
    history = make_history(7)
    numbers = numbers_of(history)
    assert numbers.step == 7
    assert numbers.value("outer_loss") == history.metrics["outer_loss"][-1]
    for empty in (numbers_of(None), numbers_of(starting())):
        assert empty.step == 0
        assert empty.value("outer_loss") is None


def test_importing_the_workspace_imports_no_torch():
    code = "import sys, metalab.ui.workspaces.structure.workspace; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_experiment_of_the_default_settings_has_a_picture():
    assert blueprint_of(ExperimentConfig()).structure().moves
