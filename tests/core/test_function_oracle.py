"""The oracle of functions gives a network's answers, where the functions are a network's."""

import pytest
import torch

from metalab.core.autodiff import AutodiffOracle
from metalab.core.function_oracle import FunctionOracle, FunctionProblem
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.base import PhiRole
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem, LossTerms
from tests.support.oracles import FLOAT64, InputShift, generator, initial_phi
from tests.support.oracles import smooth_batch as batch_of

MODEL = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,), activation="tanh")
METAS = [Initialisation(), ProximalAnchor(), InputShift()]


def pair(meta):
    """The same problem for both oracles, and phi."""
    problem, batch = BilevelProblem(model=MODEL, meta=meta), batch_of(num_tasks=1)
    phi = initial_phi(problem, GradientDescent())
    strength = meta.isotropic_strength(
        MODEL, phi[None], num_shots=batch.support.num_shots
    )
    functions = FunctionProblem(
        inner_loss=lambda theta, phi: problem.inner_loss(
            theta[None], phi[None], batch.support
        ),
        outer_loss=lambda theta, phi: problem.outer_loss(theta[None], phi[None], batch),
        start=lambda phi: meta.start(MODEL, phi[None])[0],
        strength=None if strength is None else float(strength),
    )
    roles = functions.roles(phi)
    mine = FunctionOracle.of(functions, phi, roles)
    return AutodiffOracle(problem, phi, batch), mine, roles


def drawn(width, seed):
    return torch.randn(1, width, generator=generator(seed), dtype=FLOAT64)


@pytest.mark.parametrize("meta", METAS, ids=lambda meta: meta.name)
def test_the_answers_of_a_network(meta):
    theirs, mine, roles = pair(meta)
    assert (PhiRole.START in roles) == any(PhiRole.START in ways for ways in meta.ways)
    assert mine.phi_shapes_inner_loss == theirs.phi_shapes_inner_loss
    assert mine.adapted[0].size == sum(block.size for block in theirs.adapted)
    shift = 0.1 * drawn(mine.meta_dim, 1)
    for one, other in (
        (mine, theirs),
        (mine.at_shifted_phi(shift), theirs.at_shifted_phi(shift)),
    ):
        same_answers(one, other)
    assert mine.evaluations == theirs.evaluations


def same_answers(mine, theirs):
    close = torch.testing.assert_close
    inner = mine.adapted[0].size
    theta, v, u = drawn(inner, 2), drawn(inner, 3), drawn(mine.meta_dim, 4)
    close(mine.start(), theirs.start())
    close(mine.start_pullback(v), theirs.start_pullback(v))
    close(mine.start_pushforward(u), theirs.start_pushforward(u))
    for loss in ("support_loss", "outer_loss", "query_loss"):
        if loss != "support_loss" or mine.regulariser_strength() is None:
            close(getattr(mine, loss)(theta), getattr(theirs, loss)(theta))
    outer, wanted = (each.outer_value_and_grad(theta) for each in (mine, theirs))
    close(outer.loss, wanted.loss)
    close(outer.grad, wanted.grad)
    at, other = (each.linearise(theta, curvature=True) for each in (mine, theirs))
    close(at.loss, other.loss)
    close(at.grad, other.grad)
    close(at.hvp(v), other.hvp(v))
    both, known = mine.both_gradients(at, v), theirs.both_gradients(other, v)
    close(both.theta, known.theta)
    if mine.phi_shapes_inner_loss:
        close(outer.direct, wanted.direct)
        close(both.phi, known.phi)
        close(at.mixed_vjp(v), other.mixed_vjp(v))
        close(at.mixed_jvp(u), other.mixed_jvp(u))


def test_the_hessian_without_the_regulariser():
    theirs, mine, _ = pair(ProximalAnchor())
    torch.testing.assert_close(
        mine.regulariser_strength(), theirs.regulariser_strength()
    )
    theta, v = drawn(mine.adapted[0].size, 2), drawn(mine.adapted[0].size, 3)
    products = [
        each.linearise(theta, terms=LossTerms.PREDICTION, curvature=True).hvp(v)
        for each in (mine, theirs)
    ]
    torch.testing.assert_close(*products)


def test_what_is_learned_of_the_inner_loop():
    _, mine, _ = pair(Initialisation())
    nothing = mine.rates()
    assert nothing.shape == (1, 0)
    assert not mine.rates_pullback(nothing).any()
    assert mine.rates_pushforward(drawn(mine.meta_dim, 1)).shape == (1, 0)
    with pytest.raises(AssertionError, match="no closed form"):
        mine.hessian_solver()
