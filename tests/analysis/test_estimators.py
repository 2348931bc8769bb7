"""Estimators compared on small problems, where it is known how they must come out."""

import numpy as np
import pytest
import torch

from metalab.analysis.estimator_selection import EstimatorError, select
from metalab.analysis.estimators import BlockResult, ComparisonPlan, Row, compare
from metalab.core.hypergradient.base import ProblemSize, Target
from metalab.core.oracle import Evaluations
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides
from tests.support.experiments import small

CPU = torch.device("cpu")
PLAN = ComparisonPlan(num_inner_steps=(1, 3), num_tasks=3, num_batches=2, seed=0)


def selected(config: ExperimentConfig, names=None, *, dtype=torch.float32):
    phi = Trainer(config).checkpoint().phi
    return select(config, phi, names=names, strength=2.0, dtype=dtype, device=CPU)


def names_of(block) -> list[str]:
    return [estimator.name for estimator in block.estimators]


def row_of(result: BlockResult, name: str, num_steps: int) -> Row:
    return next(
        row
        for row in result.rows
        if (row.estimator.name, row.num_inner_steps) == (name, num_steps)
    )


@pytest.fixture(scope="module")
def everything() -> tuple[BlockResult, ...]:
    config = small(model__activation="tanh", model__hidden_sizes=[4, 3])
    return compare(selected(config, dtype=torch.float64), PLAN)


def test_exact_estimators_are_exact_and_first_order_is_not(everything):
    own = everything[0]
    for num_steps in PLAN.num_inner_steps:
        for name in ("unrolled", "checkpointed", "forward-mode"):
            found = row_of(own, name, num_steps).accuracy[Target.K_STEP]
            assert found.cosine.mean == pytest.approx(1, abs=1e-12)
            assert found.norm_ratio.mean == pytest.approx(1, abs=1e-12)
            assert found.relative_error.mean < 1e-12
        found = row_of(own, "first-order", num_steps).accuracy[Target.K_STEP]
        assert found.cosine.mean < 1 - 1e-6
        assert found.relative_error.mean > 1e-3


def test_estimators_of_the_solution_have_a_problem_that_has_one(everything):
    own, proximal = everything
    assert own.block.reference is Target.K_STEP
    assert own.solved is None
    assert proximal.block.reference is Target.SOLUTION
    assert proximal.block.config.meta.kind == "anchor"
    assert proximal.solved is not None
    assert proximal.solved.num_solved == proximal.solved.num_tasks == 6
    solving = {e.name for e in proximal.block.estimators if e.target is Target.SOLUTION}
    assert {"implicit-cg", "t1-t2"} <= solving
    assert set(names_of(proximal.block)) == {"unrolled", *solving}
    assert not solving & set(names_of(own.block))
    np.testing.assert_array_equal(own.block.phi, proximal.block.phi)


def test_the_k_step_and_the_solution_are_different_references(everything):
    row = row_of(everything[1], "unrolled", 1)
    assert row.accuracy[Target.K_STEP].relative_error.mean < 1e-12
    assert row.accuracy[Target.SOLUTION].relative_error.mean > 0.1


@pytest.mark.slow
def test_conjugate_gradients_find_the_solution_after_many_steps():
    config = small(model__activation="tanh", model__hidden_sizes=[4, 3])
    plan = ComparisonPlan(num_inner_steps=(1, 200), num_tasks=3, num_batches=2, seed=0)
    options = with_overrides(
        small("imaml-sine"),
        [
            ("model", config.model.model_dump()),
            ("meta.strength", 10.0),
            ("inner", {"kind": "gradient-descent", "inner_lr": 0.02}),
            ("hypergradient", {"kind": "implicit-cg", "num_iterations": 60}),
        ],
    )
    selection = selected(options, ["implicit-cg"], dtype=torch.float64)
    (result,) = compare(selection, plan)
    first, last = (
        row.accuracy[Target.SOLUTION].relative_error.mean for row in result.rows
    )
    assert result.block.name == "own"
    assert last < 1e-4 < first


def test_what_became_of_the_linear_systems_is_told(everything):
    own, proximal = everything
    assert all(row.solves is None for row in own.rows)
    for num_steps in PLAN.num_inner_steps:
        for row in proximal.rows:
            assert (row.solves is not None) is row.estimator.solves_systems
        solves = row_of(proximal, "implicit-cg", num_steps).solves
        assert solves.num_solves == PLAN.num_tasks * PLAN.num_batches
        # Strength 2 does not outweigh what the network's own curvature may be.
        assert solves.smallest_ritz_value < 2.5
        definite = solves.smallest_ritz_value > 0
        assert (solves.not_positive_definite == 0) is definite
        neumann = row_of(proximal, "implicit-neumann", num_steps).solves
        assert np.isnan(neumann.smallest_ritz_value)
        assert neumann.unconverged == neumann.num_solves
        assert neumann.largest_residual > 1e-6


def test_what_is_counted_is_what_is_declared(everything):
    for result in everything:
        problem = result.block.learner.problem
        for row in result.rows:
            size = ProblemSize(
                num_inner_steps=row.num_inner_steps,
                meta_dim=len(result.block.phi),
                mixed=problem.meta.shapes_inner_loss,
            )
            declared = row.estimator.cost(size)
            assert row.evaluations == Evaluations(
                gradients=row.num_inner_steps + declared.gradients,
                products=declared.products,
            )


def test_time_memory_and_variance_are_measured(everything):
    rows = [row for result in everything for row in result.rows]
    assert all(row.seconds > 0 and row.peak_bytes > 0 for row in rows)
    assert all(row.relative_variance > 0 for row in rows)
    own = everything[0]
    few, many = (row_of(own, "unrolled", k).peak_bytes for k in (1, 3))
    assert many > 1.5 * few


@pytest.mark.slow
def test_the_same_plan_gives_the_same_numbers():
    selection = selected(small(), ["evolution", "unrolled"])
    one, two = (compare(selection, PLAN)[0].rows for _ in range(2))
    for row, again in zip(one, two, strict=True):
        assert row.accuracy == again.accuracy
        assert row.relative_variance == again.relative_variance
        assert row.peak_bytes == again.peak_bytes


def test_many_coordinates_are_not_gone_through_unasked():
    config = small(model__hidden_sizes=[20, 20])
    assert selected(config).left_out == ("finite-differences", "forward-mode")
    asked = selected(config, ["forward-mode"])
    assert asked.left_out == ()
    assert names_of(asked.blocks[0]) == ["forward-mode"]


def test_the_runs_own_estimator_keeps_its_options():
    config = small(hypergradient={"kind": "truncated", "num_backprop_steps": 2})
    own = selected(config, ["truncated", "unrolled"]).blocks[0]
    assert config.hypergradient.build() in own.estimators


def test_a_learned_rate_is_no_part_of_the_proximal_problem():
    own, proximal = selected(small("meta-sgd-sine")).blocks
    assert len(proximal.phi) < len(own.phi)
    assert len(proximal.phi) == proximal.learner.problem.meta_dim


def test_a_context_vector_has_no_proximal_problem():
    (only,) = selected(small("cavia-sine")).blocks
    assert only.name == "own"
    with pytest.raises(EstimatorError, match=r"implicit-cg.*no regulariser"):
        selected(small("cavia-sine"), ["implicit-cg"])


def test_unknown_names_and_foreign_parameters_are_refused():
    with pytest.raises(EstimatorError, match=r"'magic'; allowed: .*unrolled"):
        selected(small(), ["magic"])
    with pytest.raises(EstimatorError, match="holds 5 meta-parameters"):
        select(
            small(),
            np.zeros(5),
            names=None,
            strength=2.0,
            dtype=torch.float32,
            device=CPU,
        )
