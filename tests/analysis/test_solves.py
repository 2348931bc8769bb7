"""What is said of linear systems, and the numbers that it is said from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.analysis.solves import (
    NOT_CONVERGED,
    NOT_DEFINITE,
    RESIDUAL,
    Solves,
    first_worry,
    solve_advice,
    solves_of_steps,
)
from metalab.core.learner import NUM_COLUMNS
from metalab.core.linear_solve import QUALITY_NAMES
from metalab.engine.events import METRICS
from metalab.engine.trainer import Trainer
from metalab.experiment.fields import with_overrides
from tests.support.experiments import run, small

TASKS = 25
PLACES = [[info.name for info in METRICS].index(name) for name in QUALITY_NAMES]
FINE = Solves(
    num_solves=50, not_positive_definite=0, unconverged=3, largest_residual=0.01
)
BAD = Solves(
    num_solves=1250,
    not_positive_definite=21,
    unconverged=1250,
    largest_residual=0.861,
    smallest_ritz_value=-8.25,
)


def test_the_names_are_those_of_the_columns():
    assert (NOT_DEFINITE, NOT_CONVERGED, RESIDUAL) == QUALITY_NAMES
    assert len(METRICS) == NUM_COLUMNS


def test_what_is_said():
    # Whether a direction of negative curvature was looked for is not known here.
    assert FINE.words == "3 of 50 not converged (largest relative residual 0.01)"
    assert replace(FINE, smallest_ritz_value=0.5).words == (
        "0 of 50 not positive definite, 3 of 50 not converged (largest relative "
        "residual 0.01)"
    )
    assert BAD.words == (
        "21 of 1,250 not positive definite (smallest Ritz value -8.25), 1,250 of 1,250 "
        "not converged (largest relative residual 0.86)"
    )
    assert not FINE.worrying
    assert BAD.worrying
    diverged = Solves(
        num_solves=1, not_positive_definite=0, unconverged=1, largest_residual=np.nan
    )
    assert diverged.worrying


def experiment(**changes):
    return with_overrides(small("imaml-sine"), list(changes.items()))


def test_advice_fits_what_went_wrong_and_what_there_is():
    cg = small("imaml-sine")
    text = solve_advice(cg, BAD)
    assert "regulariser" in text
    assert "“Damping”" in text
    assert "“CG iterations”" in text
    assert solve_advice(cg, FINE) == ""
    neumann = with_overrides(cg, [("hypergradient", {"kind": "implicit-neumann"})])
    short = Solves(
        num_solves=9, not_positive_definite=0, unconverged=9, largest_residual=0.5
    )
    assert (
        solve_advice(neumann, short) == "More “Neumann terms” leave less of a residual."
    )
    far = Solves(
        num_solves=9, not_positive_definite=0, unconverged=9, largest_residual=7.0
    )
    assert solve_advice(neumann, far) == (
        "The series diverges where “Neumann step” is above 2 / L."
    )
    repository = small("imaml-repository-sine")
    assert "“CG damping”" in solve_advice(repository, BAD)
    assert "“Damping”" not in solve_advice(repository, BAD)


def columns(rows):
    return {name: np.array(rows)[:, i] for i, name in enumerate(QUALITY_NAMES)}


def test_steps_are_added_up_and_those_without_systems_do_not_count():
    nothing = [np.nan, np.nan, np.nan]
    found = solves_of_steps(columns([nothing, [2, 25, 0.5], [0, 3, 0.25]]), TASKS)
    assert found == Solves(
        num_solves=50, not_positive_definite=2, unconverged=28, largest_residual=0.5,
        smallest_ritz_value=found.smallest_ritz_value,
    )  # fmt: skip
    assert solves_of_steps(columns([nothing, nothing]), TASKS) is None


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([[0, 25, 0.1], [0, 25, 0.05]], None),
        ([[0, 25, 0.1], [1, 0, 1e-9]], 1),
        ([[np.nan] * 3, [0, 25, 0.2], [0, 0, 0]], 1),
        ([[0, 0, 0], [0, 25, np.inf], [0, 25, np.nan]], 1),
        ([[0, 0, 0], [0, 25, np.nan]], 1),
        ([[np.nan] * 3, [np.nan] * 3], None),
        (np.empty((0, 3)), None),
    ],
)
def test_the_first_step_that_needs_a_word(rows, first):
    assert first_worry(np.array(rows), (0, 1, 2)) == first


SMOOTH = {"model__activation": "tanh", "outer__num_tasks": 6, "outer__num_steps": 4}


@pytest.mark.parametrize("strength", [0.01, 40.0])
@pytest.mark.parametrize("provider", ["fused", "autodiff"])
@pytest.mark.sampled(2)
def test_a_step_counts_the_tasks_that_a_dense_matrix_counts(strength, provider):
    config = small(
        "imaml-sine",
        run__precision="float64",
        run__provider=provider,
        meta__strength=strength,
        inner__inner_lr=0.005,
        hypergradient__num_iterations=200,
        **SMOOTH,
    )
    trainer = Trainer(config)
    learner, state = trainer.learner, trainer.state
    batch = trainer.task_stream.batch(0)
    oracle = learner.oracle(state.phi, batch)
    end = learner.inner.run(oracle, num_steps=config.num_inner_steps).end
    around = oracle.linearise(end, curvature=True)
    eye = torch.eye(end.shape[1], dtype=torch.float64)
    hessian = torch.stack([around.hvp(row.expand_as(end)) for row in eye], dim=2)
    negative = int((torch.linalg.eigvalsh(hessian)[:, 0] <= 0).sum())
    row = run(config, pace=1).rows()[0, PLACES]
    assert row[0] == negative
    assert row[1] == 0
    assert row[2] <= 1e-6
    assert negative == (0 if strength > 1 else 6)


def test_kernels_and_automatic_differentiation_take_the_same_steps():
    rows = [
        run(
            small(
                "imaml-sine", run__precision="float64", run__provider=provider, **SMOOTH
            )
        ).rows()
        for provider in ("fused", "autodiff")
    ]
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-10)


def test_methods_without_linear_systems_have_none_to_tell_of():
    for provider in ("fused", "autodiff"):
        rows = run(small(outer__num_steps=5, run__provider=provider)).rows()
        assert rows.shape == (5, len(METRICS))
        assert np.isnan(rows[:, PLACES]).all()
        assert np.isfinite(np.delete(rows, PLACES, axis=1)).all()


def test_first_order_steps_at_the_beginning_solve_nothing():
    config = small("imaml-sine", outer__first_order_steps=3, outer__num_steps=6)
    rows = run(config).rows()[:, PLACES]
    assert np.isnan(rows[:3]).all()
    assert np.isfinite(rows[3:]).all()
