"""Checks of a model."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    FLOAT64,
    NUM_STEPS,
    NUM_TASKS,
    at_bounds,
    batch,
    estimate,
    generator,
    normal,
    phi_of,
    problem,
    relative_error,
    require_close,
    require_global_generator_untouched,
    slope_error,
)
from metalab.analysis.checks.verdict import Check, CheckError, SkipError, require
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.autodiff import AutodiffOracle
from metalab.core.errors import told
from metalab.core.hypergradient.base import Exactness, Target
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.model.base import Model
from metalab.core.module_model import ModuleModel

_SHOTS = 5
_OUTPUTS = 2
_MOST_PARAMETERS = 1_000_000
"""Of a network that is tried at the bounds of its options."""


def checks_of_model(kind: type[Model]) -> Mapping[str, Check]:
    """Return the checks of a class of models, by what they try."""
    make = partial(kind, input_dim=kind.only_input_dim or 1, output_dim=_OUTPUTS)
    return {
        "shapes": lambda: _shapes(make()),
        "determinism": lambda: _determinism(make()),
        "tasks apart": lambda: _tasks_apart(make()),
        "gradient": lambda: _gradient(make()),
        "second derivatives": lambda: _second_derivatives(make()),
        "meta device": lambda: _meta_device(make()),
        "options at their bounds": lambda: _bounds(kind, make),
        **{
            f"outer step with {name}": partial(_outer_step, make, name)
            for name, estimator in HYPERGRADIENTS.components.items()
            if estimator.exactness is Exactness.EXACT
            and estimator.target is Target.K_STEP
        },
    }


def _ready(model: Model) -> Model:
    reason = model.obstacle()
    require(reason is None, f"it cannot be used: {reason}")
    return model


def _theta(model: Model, dtype: torch.dtype = FLOAT64) -> Tensor:
    own = model.initial_parameters(generator=generator(), dtype=dtype)
    return own + 0.1 * normal(NUM_TASKS, model.dim, seed=3, dtype=dtype)


def _x(model: Model, dtype: torch.dtype = FLOAT64) -> Tensor:
    return normal(NUM_TASKS, _SHOTS, model.input_dim, seed=4, dtype=dtype)


def _shapes(model: Model) -> str:
    _ready(model)
    end = 0
    for block in model.blocks:
        require(block.start == end, f"block {block.name!r} starts at {block.start}")
        end += block.size
    for dtype in (torch.float32, FLOAT64):
        own = model.initial_parameters(generator=generator(), dtype=dtype)
        require(
            own.shape == (end,) and own.dtype is dtype,
            f"initial_parameters returns {list(own.shape)} in {own.dtype}; allowed: "
            f"[{end}] in {dtype}",
        )
        found = model.apply(_theta(model, dtype), _x(model, dtype))
        wanted = (NUM_TASKS, _SHOTS, _OUTPUTS)
        require(
            found.shape == wanted and found.dtype is dtype,
            f"predictions are {list(found.shape)} in {found.dtype}; allowed: "
            f"{list(wanted)} in {dtype}",
        )
        require(found.isfinite().all(), "predictions are not finite")
    return f"{end:,} parameters in {len(model.blocks)} arrays"


def _determinism(model: Model) -> None:
    def drawn(seed: int) -> Tensor:
        return _ready(model).initial_parameters(
            generator=generator(seed), dtype=FLOAT64
        )

    require_global_generator_untouched(lambda: drawn(0))
    require(torch.equal(drawn(0), drawn(0)), "one seed draws different parameters")
    require(not torch.equal(drawn(0), drawn(1)), "two seeds draw the same parameters")
    theta, x = _theta(model), _x(model)
    same = torch.equal(model.apply(theta, x), model.apply(theta, x))
    require(same, "two calls with the same inputs differ")


def _tasks_apart(model: Model) -> str:
    theta, x = _theta(_ready(model)), _x(model)
    rows = [model.apply(theta[t : t + 1], x[t : t + 1]) for t in range(NUM_TASKS)]
    error = relative_error(model.apply(theta, x), torch.cat(rows))
    return require_close(error, 1e-10, "tasks together and alone")


def _gradient(model: Model) -> str:
    theta, x = _theta(_ready(model)).requires_grad_(), _x(model)

    def function(at: Tensor) -> Tensor:
        return model.apply(at, x).square().sum()

    (grad,) = torch.autograd.grad(function(theta), theta)
    error = slope_error(function, theta.detach(), grad)
    return require_close(error, 1e-6, "gradient and finite differences")


def _second_derivatives(model: Model) -> str:
    theta, x = _theta(_ready(model)).requires_grad_(), _x(model)
    along = normal(*theta.shape, seed=6)

    def slope(at: Tensor) -> Tensor:
        at = at.detach().requires_grad_()
        loss = model.apply(at, x).square().sum()
        (grad,) = torch.autograd.grad(loss, at)
        return (grad * along).sum()

    loss = model.apply(theta, x).square().sum()
    (grad,) = torch.autograd.grad(loss, theta, create_graph=True)
    (product,) = torch.autograd.grad((grad * along).sum(), theta)
    error = slope_error(slope, theta.detach(), product)
    return require_close(error, 1e-5, "Hessian products and finite differences")


def _meta_device(model: Model) -> None:
    theta, x = _theta(_ready(model)).to("meta"), _x(model).to("meta")
    try:
        found = model.apply(theta, x)
    except Exception as error:
        raise SkipError(f"it does not run without numbers: {told(error)}") from error
    wanted = (NUM_TASKS, _SHOTS, _OUTPUTS)
    require(found.shape == wanted, f"predictions are {list(found.shape)}")
    require(found.device.type == "meta", f"predictions are on {found.device}")


def _bounds(kind: type[Model], make: Any) -> str:
    tried, too_large = 0, list[str]()
    for words, options in at_bounds(kind):
        model = make(**options)
        if _num_parameters(model) > _MOST_PARAMETERS:
            too_large.append(words)
            continue
        reason = model.obstacle()
        require(reason is None, f"{words}: {reason}")
        found = model.apply(_theta(model), _x(model))
        require(found.isfinite().all(), f"{words}: predictions are not finite")
        tried += 1
    note = f"; too large to try: {', '.join(too_large)}" if too_large else ""
    return f"{tried} tried{note}"


def _num_parameters(model: Model) -> int:
    if not isinstance(model, ModuleModel):
        return model.dim
    with torch.device("meta"):
        module = model.module(**model.arguments())
    return sum(array.numel() for array in module.parameters())


def _outer_step(make: Any, name: str) -> str:
    model = _ready(make())
    tasks = batch(dims=(model.input_dim, model.output_dim))
    inner = GradientDescent(num_inner_steps=NUM_STEPS, inner_lr=0.05)
    bilevel = problem(model=model)
    phi = phi_of(bilevel, inner)
    found, right = (
        estimate(estimator, AutodiffOracle(bilevel, phi, tasks), inner).per_task
        for estimator in (HYPERGRADIENTS.components[name](), Unrolled())
    )
    if not found.isfinite().all():
        raise CheckError("the hypergradient is not finite")
    return require_close(relative_error(found, right), 1e-6, "it and the exact one")
