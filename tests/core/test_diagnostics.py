"""What diagnostics measure, against direct computation."""

import math
from dataclasses import replace

import pytest
import torch

from metalab.core.diagnostics import (
    diagnose,
    first_order_learns,
    largest_eigenvalue,
    layer_distances,
    mean_pairwise_cosine,
)
from metalab.core.hypergradient.base import Hypergradient
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.learner import METRIC_NAMES, MetaLearner
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.meta.penalty import PenaltyStrength
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem, Linearisation
from metalab.core.outer import SGD
from metalab.core.streams import RandomStreams
from tests.support.oracles import FLOAT64, generator, smooth_batch

CPU = torch.device("cpu")
STREAMS = RandomStreams(0)
MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
LEARNER = MetaLearner(
    problem=BilevelProblem(model=MODEL, meta=Initialisation()),
    inner=GradientDescent(num_inner_steps=3, inner_lr=0.1),
    hypergradient=Unrolled(),
    outer=SGD(outer_lr=0.5),
    num_steps=10,
    objective=OuterObjective(),
)


def measured(learner, num_power_iterations=20):
    state = learner.initial_state(generator=generator(), dtype=FLOAT64, device=CPU)
    batch = smooth_batch()
    values = diagnose(
        learner, state, batch, STREAMS, num_power_iterations=num_power_iterations
    )
    return state, batch, {name: float(value) for name, value in values.items()}


def estimate_of(rows):
    per_task = torch.tensor(rows, dtype=FLOAT64)
    return Hypergradient(per_task=per_task, outer_loss=per_task[:, 0])


def hessians(linearisation, dim, num_tasks):
    eye = torch.eye(dim, dtype=FLOAT64)
    columns = [linearisation.hvp(row.expand(num_tasks, -1)) for row in eye]
    return torch.stack(columns, dim=2)


def test_the_mean_cosine_equals_the_mean_over_all_pairs():
    estimate = estimate_of(torch.randn(6, 5, generator=generator()).tolist())
    rows = estimate.per_task
    pairs = [
        torch.cosine_similarity(rows[i], rows[j], dim=0)
        for i in range(6)
        for j in range(i)
    ]
    expected = torch.stack(pairs).mean()
    assert float(mean_pairwise_cosine(estimate)) == pytest.approx(float(expected))


def test_cosines_of_special_hypergradients():
    assert float(mean_pairwise_cosine(estimate_of([[1, 0], [0, 2]]))) == 0
    assert float(mean_pairwise_cosine(estimate_of([[1, 0], [-3, 0]]))) == -1
    assert float(mean_pairwise_cosine(estimate_of([[0, 0], [1, 0], [1, 0]]))) == (
        pytest.approx(1 / 3)
    )
    assert math.isnan(float(mean_pairwise_cosine(estimate_of([[1, 2]]))))


def test_eigenvalues_equal_those_of_the_whole_hessian():
    state, batch, values = measured(LEARNER, num_power_iterations=2000)
    oracle = LEARNER.oracle(state.phi, batch)
    path = LEARNER.inner.run(oracle, num_steps=3)
    for point, name in ((path.start, "start"), (path.end, "end")):
        linearisation = oracle.linearise(point, curvature=True)
        spectra = torch.linalg.eigvalsh(
            hessians(linearisation, MODEL.dim, batch.num_tasks)
        )
        at = spectra.abs().argmax(dim=1, keepdim=True)
        expected = float(spectra.gather(1, at).mean())
        assert values[f"hessian_eigenvalue_{name}"] == pytest.approx(expected, rel=1e-6)


class Diagonal(Linearisation):
    """A Hessian of known eigenvalues."""

    def __init__(self, values):
        self._values = torch.tensor(values, dtype=FLOAT64)

    def hvp(self, v):
        return v * self._values

    def mixed_vjp(self, v):
        raise NotImplementedError

    def mixed_jvp(self, u):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("values", "largest"), [([-5.0, 3.0, 1.0], -5.0), ([0.0, 0.0, 0.0], 0.0)]
)
def test_the_sign_of_an_eigenvalue_is_kept(values, largest):
    v = torch.ones(2, 3, dtype=FLOAT64)
    found = largest_eigenvalue(Diagonal(values), v, num_iterations=80)
    assert float(found) == pytest.approx(largest)


def test_distances_of_the_layers_make_the_whole_distance():
    state, batch, values = measured(LEARNER)
    oracle = LEARNER.oracle(state.phi, batch.rows(0, 1))
    path = LEARNER.inner.run(oracle, num_steps=3)
    layers = layer_distances(oracle, path)
    assert list(layers) == ["distance_layer_1", "distance_layer_2"]
    whole = math.hypot(*map(float, layers.values()))
    assert whole == pytest.approx(float((path.end - path.start).norm()))
    assert values["distance_layer_1"] > 0


def test_only_adapted_layers_have_a_distance():
    _, _, values = measured(
        replace(LEARNER, problem=BilevelProblem(model=MODEL, meta=HeadOnly()))
    )
    assert "distance_layer_1" not in values
    assert values["distance_layer_2"] > 0


def test_the_first_order_direction_is_that_of_first_order_itself():
    _, _, values = measured(replace(LEARNER, hypergradient=FirstOrder()))
    assert values["first_order_cosine"] == pytest.approx(1)
    _, _, exact = measured(LEARNER)
    assert 0 < exact["first_order_cosine"] < 1


def test_without_a_first_order_direction_there_is_no_cosine_to_it():
    learner = replace(
        LEARNER, problem=BilevelProblem(model=MODEL, meta=PenaltyStrength())
    )
    assert not first_order_learns(learner)
    assert first_order_learns(LEARNER)
    _, _, values = measured(learner)
    assert math.isnan(values["first_order_cosine"])
    assert math.isfinite(values["gradient_cosine"])


def test_the_norm_is_that_of_the_step_and_the_gradient_ratio_that_of_its_path():
    state, batch, values = measured(LEARNER)
    metrics = LEARNER.step(state, batch, STREAMS).metrics.tolist()
    norm = metrics[METRIC_NAMES.index("hypergradient_norm")]
    assert values["hypergradient_norm"] == norm
    oracle = LEARNER.oracle(state.phi, batch)
    path = LEARNER.inner.run(oracle, num_steps=3)
    first, last = (
        oracle.linearise(point, curvature=False).grad.norm(dim=1)
        for point in (path.start, path.end)
    )
    assert values["inner_gradient_ratio"] == pytest.approx(float((last / first).mean()))
    assert values["inner_gradient_ratio"] < 1


def test_what_is_drawn_depends_on_the_step_alone():
    one, two = measured(LEARNER, 1)[2], measured(LEARNER, 1)[2]
    assert one == two
    other = replace(STREAMS, seed=1)
    state = LEARNER.initial_state(generator=generator(), dtype=FLOAT64, device=CPU)
    moved = diagnose(LEARNER, state, smooth_batch(), other, num_power_iterations=1)
    name = "hessian_eigenvalue_start"
    assert float(moved[name]) != one[name]
