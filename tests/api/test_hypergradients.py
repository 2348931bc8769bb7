"""Hypergradients of anybody's functions, against differences, autograd and algebra."""

import warnings
from collections import namedtuple

import pytest
import torch

import metalab as ml
from metalab.api.hypergradients import HypergradientError
from metalab.catalog.slots import HYPERGRADIENTS
from tests.support.oracles import FLOAT64, central_differences, generator

STEPS = {"num_inner_steps": 6, "inner_lr": 0.05}
EXACT = {
    "unrolled": {},
    "checkpointed": {},
    "forward-mode": {},
    "finite-differences": {},
    "difference-product": {"epsilon": 1e-5},
    "truncated": {"num_backprop_steps": 6},
}
METHODS = sorted(HYPERGRADIENTS.components)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=FLOAT64)


A, B, C = drawn(5, 3), drawn(5, seed=1), drawn(4, 3, seed=2)
TARGET = drawn(4, seed=3)
PHI = {"weights": drawn(3, seed=4), "log_ridge": torch.tensor(-0.3, dtype=FLOAT64)}


def inner(theta, phi):
    misfit = (A @ theta - B).tanh().square().mean()
    return misfit + phi["log_ridge"].exp() * (theta - phi["weights"]).square().sum()


def outer(theta, phi):
    return (C @ theta - TARGET).square().mean() + 0.1 * phi["weights"].sin().sum()


def start(phi):
    return phi["weights"] * phi["log_ridge"].cos()


def descended(phi, num_steps, lr, *, create_graph=False):
    """The inner loop in plain torch."""
    theta = start(phi)
    for _ in range(num_steps):
        at = theta if create_graph else theta.detach().requires_grad_()
        (grad,) = torch.autograd.grad(inner(at, phi), at, create_graph=create_graph)
        theta = theta - lr * grad
    return theta


def by_autograd(num_steps, lr):
    leaves = {name: value.clone().requires_grad_() for name, value in PHI.items()}
    loss = outer(descended(leaves, num_steps, lr, create_graph=True), leaves)
    found = torch.autograd.grad(loss, list(leaves.values()))
    return dict(zip(leaves, found, strict=True))


@pytest.mark.parametrize("method", EXACT)
def test_exact_ones_are_the_slope_of_the_whole(method):
    found = ml.hypergradient(
        inner, outer, PHI, start, method=method, **STEPS, **EXACT[method]
    )

    def objective(flat):
        phi = {"weights": flat[:3], "log_ridge": flat[3]}
        theta = descended(phi, STEPS["num_inner_steps"], STEPS["inner_lr"])
        return outer(theta, phi).detach()

    flat = torch.cat([PHI["weights"], PHI["log_ridge"][None]])
    wanted = central_differences(objective, flat)
    mine = torch.cat([found["weights"], found["log_ridge"][None]])
    assert list(found) == list(PHI)
    assert found["log_ridge"].shape == ()
    torch.testing.assert_close(mine, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("method", ["unrolled", "checkpointed", "forward-mode"])
@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_exact_ones_are_torchs_through_the_loop(method, num_steps):
    wanted = by_autograd(num_steps, 0.05)
    found = ml.hypergradient(
        *(inner, outer, PHI, start),
        method=method,
        num_inner_steps=num_steps,
        inner_lr=0.05,
    )
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-12, atol=1e-14)


X, Y = drawn(20, 4, seed=5), drawn(20, seed=6)
X_NEW, Y_NEW = drawn(15, 4, seed=7), drawn(15, seed=8)


def ridge(w, log_l):
    return (X @ w - Y).square().sum() / 2 + log_l.exp() / 2 * (w @ w)


def validation(w, log_l):
    return (X_NEW @ w - Y_NEW).square().sum() / 2


LOG_L = torch.tensor(0.7, dtype=FLOAT64)
HESSIAN = X.T @ X + LOG_L.exp() * torch.eye(4, dtype=FLOAT64)
SOLVED = torch.linalg.solve(HESSIAN, X.T @ Y)
V = X_NEW.T @ (X_NEW @ SOLVED - Y_NEW)
MIXED = LOG_L.exp() * SOLVED
OF_RIDGE = -MIXED @ torch.linalg.solve(HESSIAN, V)
LARGEST = float(torch.linalg.eigvalsh(HESSIAN)[-1])
IMPLICIT = {
    "implicit-cg": {"num_iterations": 10, "tolerance": 1e-12},
    "implicit-neumann": {"num_terms": 3000, "step_size": 1 / LARGEST},
    "implicit-nystrom": {"rank": 4, "strength": float(LOG_L.exp())},
}


@pytest.mark.parametrize("method", IMPLICIT)
def test_implicit_ones_are_ridge_regressions_closed_form(method):
    found = ml.hypergradient(
        ridge, validation, LOG_L, SOLVED, method=method, **IMPLICIT[method]
    )
    torch.testing.assert_close(found, OF_RIDGE, rtol=1e-7, atol=0)


def test_implicit_ones_after_a_descent():
    found = ml.hypergradient(
        *(ridge, validation, LOG_L, torch.zeros(4, dtype=FLOAT64)),
        method="implicit-cg",
        num_inner_steps=3000,
        inner_lr=1 / LARGEST,
        **IMPLICIT["implicit-cg"],
    )
    torch.testing.assert_close(found, OF_RIDGE, rtol=1e-7, atol=0)


def test_many_steps_come_to_the_solutions_derivative():
    found = ml.hypergradient(
        *(ridge, validation, LOG_L, torch.zeros(4, dtype=FLOAT64)),
        method="unrolled",
        num_inner_steps=2000,
        inner_lr=1 / LARGEST,
    )
    torch.testing.assert_close(found, OF_RIDGE, rtol=1e-7, atol=0)


def test_t1_t2_takes_the_identity_for_the_hessian():
    found = ml.hypergradient(ridge, validation, LOG_L, SOLVED, method="t1-t2")
    torch.testing.assert_close(found, -MIXED @ V, rtol=1e-12, atol=0)


def test_the_system_of_imamls_code():
    phi, s = drawn(4, seed=9), 3.0

    def proximal(w, phi):
        return (X @ w - Y).square().sum() / 40 + s / 2 * (w - phi).square().sum()

    found = ml.hypergradient(
        *(proximal, validation, phi, lambda phi: phi),
        method="imaml-repository",
        num_inner_steps=0,
        strength=s,
        num_iterations=20,
        tolerance=1e-12,
        cg_damping=1.0,
    )
    eye = torch.eye(4, dtype=FLOAT64)
    v = X_NEW.T @ (X_NEW @ phi - Y_NEW)
    system = 2 * eye + X.T @ X / 20 / (s + 10)
    torch.testing.assert_close(found, torch.linalg.solve(system, v))


def loss_of_start(theta, phi):
    return (A @ theta - B).square().mean()


def test_simple_ones_by_their_definitions():
    phi = drawn(3, seed=10)
    theta = phi.clone()
    for _ in range(STEPS["num_inner_steps"]):
        theta = theta - STEPS["inner_lr"] * 2 * A.T @ (A @ theta - B) / 5

    def found(method):
        return ml.hypergradient(
            *(loss_of_start, lambda theta, _phi: (C @ theta).square().sum(), phi),
            lambda phi: phi,
            method=method,
            **STEPS,
        )

    torch.testing.assert_close(found("first-order"), 2 * C.T @ C @ theta)
    torch.testing.assert_close(found("reptile"), phi - theta)
    torch.testing.assert_close(found("joint"), 2 * C.T @ C @ phi)


def test_what_is_drawn_is_fixed_by_the_seed():
    def found(seed, count):
        return ml.hypergradient(
            *(inner, outer, PHI, start),
            method="forward-gradient",
            num_directions=count,
            seed=seed,
            **STEPS,
        )["weights"]

    assert found(0, 4).equal(found(0, 4))
    assert not found(0, 4).equal(found(1, 4))
    wanted = by_autograd(6, 0.05)["weights"]
    torch.testing.assert_close(found(0, 1000), wanted, rtol=0.2, atol=0.1)


PROBLEMS = {
    "start": (loss_of_start, loss_of_start, lambda phi: phi["weights"]),
    "inner loss": (inner, loss_of_start, drawn(3, seed=11)),
    "prediction": (loss_of_start, outer, drawn(3, seed=11)),
    "all": (inner, outer, start),
}


@pytest.mark.parametrize("entering", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_works_or_says_why_not(method, entering):
    inner_loss, outer_loss, theta0 = PROBLEMS[entering]
    needs = HYPERGRADIENTS.components[method].needs_strength
    more = {"strength": 0.5} if needs else {}
    with warnings.catch_warnings():
        # Few iterations, and no minimum: whether it is close is told, and is not asked.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = ml.hypergradient(
                inner_loss, outer_loss, PHI, theta0, method=method, **STEPS, **more
            )
        except HypergradientError as error:
            found, told = None, str(error)
    if found is None:
        assert "cannot differentiate a phi that enters only" in told
        assert entering != "all"
    else:
        assert all(torch.isfinite(value).all() for value in found.values())
        assert [v.shape for v in found.values()] == [v.shape for v in PHI.values()]


def test_structures():
    Pair = namedtuple("Pair", "one two")
    phi = [Pair(drawn(2), drawn(1, 3)), (drawn(),)]

    def loss(theta, phi):
        return (theta[0] - phi[0].one.sum()).square() + theta[1].square().sum()

    def outer_loss(theta, phi):
        return theta[0] * phi[1][0] + theta[1].sum() * phi[0].two.sum()

    found = ml.hypergradient(loss, outer_loss, phi, (drawn(), drawn(2, 2)), **STEPS)
    assert isinstance(found[0], Pair)
    assert found[0].two.shape == (1, 3)
    assert isinstance(found[1], tuple)
    # The first part comes to 1 - (1 - 2 lr)^K of the sum.
    share = 1 - (1 - 2 * STEPS["inner_lr"]) ** STEPS["num_inner_steps"]
    torch.testing.assert_close(found[0].one, (share * phi[1][0]).expand(2))


def test_nothing_that_is_given_changes():
    phi = {name: value.clone().requires_grad_() for name, value in PHI.items()}
    before = {name: value.detach().clone() for name, value in phi.items()}
    with torch.no_grad():
        found = ml.hypergradient(inner, outer, phi, start, **STEPS)
    for name, value in phi.items():
        assert value.grad is None
        assert value.detach().equal(before[name])
        assert not found[name].requires_grad


def test_single_precision_stays_single():
    phi = torch.ones(3)
    found = ml.hypergradient(
        lambda theta, phi: (theta - phi).square().sum(),
        lambda theta, _phi: theta.sum(),
        phi,
        torch.zeros(3),
        num_inner_steps=1,
        inner_lr=0.25,
    )
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.full((3,), 0.5))


def test_a_loss_that_is_linear_in_theta():
    found = ml.hypergradient(
        lambda theta, _phi: theta.sum(),
        lambda theta, phi: (theta * phi).sum(),
        torch.ones(2),
        lambda phi: 2 * phi,
        num_inner_steps=1,
        inner_lr=0.5,
    )
    torch.testing.assert_close(found, torch.full((2,), 3.5))


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"method": "unroled"}, HypergradientError, "allowed: .*unrolled"),
        ({"num_inner_steps": None}, HypergradientError, "num_inner_steps and inner_lr"),
        ({"num_inner_steps": -1}, HypergradientError, "num_inner_steps is -1"),
        ({"inner_lr": None}, HypergradientError, "inner_lr is needed for 6"),
        ({"inner_lr": 0.0}, HypergradientError, "allowed: above 0"),
        ({"damping": 1.0}, TypeError, "'damping' is no option of method 'unrolled'"),
        (
            {"method": "implicit-cg", "num_iteration": 3},
            TypeError,
            "did you mean num_iterations",
        ),
        (
            {"method": "implicit-cg", "num_iterations": 0},
            HypergradientError,
            "num_iterations is 0; allowed: 1 to",
        ),
        ({"method": "implicit-nystrom"}, HypergradientError, "told that strength"),
        ({"strength": -1.0}, HypergradientError, "strength is -1"),
        ({"phi": {"weights": 3.0}}, TypeError, "phi holds a float; allowed: torch"),
        ({"phi": []}, TypeError, "phi holds nothing"),
        ({"phi": torch.arange(3)}, TypeError, "int64; allowed: float32 or float64"),
        ({"phi": [torch.ones(1), drawn(1)]}, TypeError, "tensors of one dtype"),
        ({"theta0": torch.ones(3)}, TypeError, "theta0 is of torch.float32, phi of"),
        ({"inner_loss": lambda t, _p: t}, TypeError, r"inner_loss returns .*\[3\]"),
        ({"outer_loss": lambda _t, _p: 1.0}, TypeError, "outer_loss returns a float"),
        (
            {"inner_loss": lambda _t, p: p["weights"].sum()},
            HypergradientError,
            "inner_loss does not depend on theta",
        ),
        (
            {
                "inner_loss": loss_of_start,
                "outer_loss": loss_of_start,
                "theta0": B[:3],
            },
            HypergradientError,
            "phi enters neither",
        ),
    ],
)
def test_what_cannot_be(changes, error, told):
    given = {
        "inner_loss": inner,
        "outer_loss": outer,
        "phi": PHI,
        "theta0": start,
        "method": "unrolled",
        **STEPS,
    }
    with pytest.raises(error, match=told):
        ml.hypergradient(**{**given, **changes})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"num_iterations": 1}, "solved to a relative residual"),
        ({"theta0": SOLVED, "sign": -1.0}, "not positive definite"),
    ],
)
def test_what_must_not_pass_for_an_answer(options, told):
    sign = options.pop("sign", 1.0)
    theta0 = options.pop("theta0", SOLVED)
    with pytest.warns(RuntimeWarning, match=told):
        ml.hypergradient(
            lambda w, log_l: sign * ridge(w, log_l),
            *(validation, LOG_L, theta0),
            **{"method": "implicit-cg", **options},
        )


def test_an_inner_loop_that_explodes():
    with pytest.warns(RuntimeWarning, match="not finite: a smaller inner_lr"):
        ml.hypergradient(
            *(ridge, validation, LOG_L, SOLVED + 1),
            num_inner_steps=400,
            inner_lr=5.0,
        )
