"""The formulas of a multilayer perceptron against automatic differentiation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.core.analytic import AnalyticOracle
from metalab.core.autodiff import AutodiffOracle
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import ACTIVATIONS, MLP
from metalab.core.oracle import BilevelProblem
from tests.support.oracles import FLOAT64, generator, relative_error, smooth_batch


def both(model: MLP):
    problem = BilevelProblem(model=model, meta=Initialisation())
    batch = smooth_batch(input_dim=model.input_dim, output_dim=model.output_dim)
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    return AnalyticOracle(problem, phi, batch), AutodiffOracle(problem, phi, batch)


def points(model: MLP, seed: int):
    return torch.randn(3, model.dim, generator=generator(seed), dtype=FLOAT64)


@settings(max_examples=40, deadline=None)
@given(
    activation=st.sampled_from(ACTIVATIONS),
    hidden_sizes=st.lists(st.integers(1, 6), max_size=3).map(tuple),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    start=st.integers(0, 2),
)
def test_gradients_and_products_are_those_of_autodiff(
    activation, hidden_sizes, sizes, start
):
    model = MLP(
        input_dim=sizes[0],
        output_dim=sizes[1],
        hidden_sizes=hidden_sizes,
        activation=activation,
    )
    analytic, autodiff = both(model)
    theta, v = points(model, 1), points(model, 2)
    minibatch = slice(start, start + 2)
    one, other = (
        oracle.linearise(theta, minibatch=minibatch, curvature=True)
        for oracle in (analytic, autodiff)
    )
    assert relative_error(one.loss, other.loss) < 1e-14
    assert relative_error(one.grad, other.grad) < 1e-13
    # Where the Hessian is 0 (a dead network) there is no relative error.
    gap = (one.hvp(v) - other.hvp(v)).norm()
    assert gap <= 1e-12 * (1 + other.hvp(v).norm())
    outer, reference = (o.outer_value_and_grad(theta) for o in (analytic, autodiff))
    assert relative_error(outer.loss, reference.loss) < 1e-14
    assert relative_error(outer.grad, reference.grad) < 1e-13


def test_it_counts_as_autodiff_does():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,))
    for oracle in both(model):
        linearisation = oracle.linearise(points(model, 1), curvature=True)
        linearisation.hvp(points(model, 2))
        oracle.outer_value_and_grad(points(model, 3))
        asked = oracle.evaluations
        assert (asked.gradients, asked.products) == (2, 1)
        assert oracle.at_shifted_phi(torch.zeros(1, model.dim)).evaluations is asked


def test_no_tensor_remembers_a_graph():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,))
    analytic, _ = both(model)
    theta = points(model, 1).requires_grad_()
    linearisation = analytic.linearise(theta, curvature=True)
    assert not linearisation.grad.requires_grad
    assert not linearisation.hvp(points(model, 2)).requires_grad


def test_only_what_the_formulas_describe_is_taken():
    class Other(MLP):
        """Somebody else's network."""

    sizes = {"input_dim": 1, "output_dim": 1, "hidden_sizes": (4,)}
    mlp = MLP(**sizes)
    assert AnalyticOracle.suits(BilevelProblem(model=mlp, meta=Initialisation()))
    assert not AnalyticOracle.suits(BilevelProblem(model=mlp, meta=HeadOnly()))
    other = BilevelProblem(model=Other(**sizes), meta=Initialisation())
    assert not AnalyticOracle.suits(other)


@pytest.mark.parametrize("ask", ["mixed_vjp", "mixed_jvp"])
def test_phi_has_no_mixed_derivative(ask):
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,))
    linearisation = both(model)[0].linearise(points(model, 1), curvature=True)
    with pytest.raises(AssertionError, match="no mixed derivative"):
        getattr(linearisation, ask)(points(model, 2))
