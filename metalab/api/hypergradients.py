"""The estimators as a library: hypergradients of anybody's functions."""

import difflib
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from pydantic import ValidationError
from torch import Tensor

from metalab.api.trees import TensorTree
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.errors import UserError
from metalab.core.function_oracle import FunctionOracle, FunctionProblem, LossOf
from metalab.core.hypergradient.base import (
    EstimateContext,
    Hypergradient,
    HypergradientEstimator,
    Target,
)
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.base import PhiRole
from metalab.core.streams import RandomStreams

Phi = TypeVar("Phi")

_MOST_STEPS = 1_000_000


class HypergradientError(UserError):
    """A hypergradient that an estimator cannot give; says why, and which one can."""


def hypergradient(  # noqa: PLR0913 - a bilevel problem, and how to differentiate it
    inner_loss: Callable[[Any, Phi], Tensor],
    outer_loss: Callable[[Any, Phi], Tensor],
    phi: Phi,
    theta0: Any,
    *,
    method: str = "unrolled",
    num_inner_steps: int | None = None,
    inner_lr: float | None = None,
    strength: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Phi:
    """Return the derivative of outer_loss(theta(phi), phi) in phi.

    theta(phi) comes of `num_inner_steps` steps of gradient descent on inner_loss from
    theta0; what the derivative is of, those steps or the solution they lead to, is the
    method's business. Nothing given is modified, and no `.grad` is written.

    Args:
        inner_loss: theta and phi to a tensor of one number, which torch can differentiate
            twice; theta as theta0 has it, phi as it is given.
        outer_loss: Likewise, differentiable once.
        phi: Meta-parameters: a tensor of any shape, or tensors in dictionaries, lists and
            tuples; all float32 or all float64, on one device.
        theta0: Start of the inner loop, such tensors likewise; or a function of phi, where
            phi is, or shapes, the start: `lambda phi: phi`.
        method: Estimator, as hypergradient.kind names it. Of the K steps: "unrolled",
            "checkpointed", "forward-mode" (exact), "truncated", "first-order",
            "difference-product", "finite-differences", "evolution",
            "persistent-evolution", "forward-gradient", "reptile", "joint". Of the
            solution, where theta has come close to a minimum of inner_loss: "implicit-cg",
            "implicit-neumann", "implicit-nystrom", "t1-t2", "imaml-repository".
        num_inner_steps: K, from 0. None, only for those of the solution: theta0 is it.
        inner_lr: Step size of the descent.
        strength: s, where inner_loss is known to have a term s/2 |theta - centre|^2; only
            "implicit-nystrom" and "imaml-repository" need it.
        seed: Fixes what the method draws.
        **options: Of the method, such as `num_iterations` and `damping`.

    Returns:
        The hypergradient, in the structure of phi.

    Warns:
        RuntimeWarning: A linear system was not solved to its tolerance, its matrix is not
            positive definite, or the hypergradient is not finite.

    Raises:
        HypergradientError: The method does not go with how phi enters, or with what is
            given; a ValueError that says what does.
        TypeError: An option is unknown, or something is no tensor of one dtype.

    Example:
        >>> ridge = lambda w, log_l: ((X @ w - y) ** 2).sum() + log_l.exp() * (w @ w)
        >>> validation = lambda w, log_l: ((X_val @ w - y_val) ** 2).sum()
        >>> w = torch.linalg.solve(X.T @ X + log_l.exp() * torch.eye(3), X.T @ y)
        >>> ml.hypergradient(ridge, validation, log_l, w, method="implicit-cg")
    """
    estimator = _estimator(method, options)
    inner = _inner_loop(estimator, num_inner_steps, inner_lr)
    outer_tree = TensorTree(phi, "phi")
    problem = _problem(inner_loss, outer_loss, outer_tree, theta0, strength)
    roles = _roles(problem, outer_tree.flat)
    _check_fits(estimator, roles, strength)
    oracle = FunctionOracle.of(problem, outer_tree.flat, roles)
    path = inner.run(oracle, num_steps=inner.num_inner_steps, keep=estimator.keep)
    context = EstimateContext(weights=None, streams=RandomStreams(seed), step=0)
    found = estimator.estimate(oracle, inner, path, context)
    _warn(method, found)
    return outer_tree.unflattened(found.per_task[0].detach())


def _estimator(method: str, options: Mapping[str, Any]) -> HypergradientEstimator:
    """Return an estimator with its options.

    Raises:
        HypergradientError: There is none of that name, or a value is not allowed.
        TypeError: It has no such option.
    """
    known = HYPERGRADIENTS.models
    if method not in known:
        raise HypergradientError(f"method is {method!r}; allowed: {', '.join(known)}")
    allowed = [name for name in known[method].model_fields if name != "kind"]
    for name in options:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed)
            hint = (
                f"did you mean {near[0]}?" if near else f"it has: {', '.join(allowed)}"
            )
            raise TypeError(f"{name!r} is no option of method {method!r}; {hint}")
    try:
        return known[method].model_validate({"kind": method, **options}).build()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        told = first.get("ctx", {}).get("error", first["msg"])
        raise HypergradientError(f"{name} {told}") from error


def _inner_loop(
    estimator: HypergradientEstimator, num_steps: int | None, inner_lr: float | None
) -> GradientDescent:
    of_solution = estimator.target is Target.SOLUTION
    if num_steps is None and not of_solution:
        raise HypergradientError(
            f"method {estimator.name!r} differentiates inner steps: num_inner_steps and "
            "inner_lr are needed"
        )
    count = num_steps or 0
    if not 0 <= count <= _MOST_STEPS:
        raise HypergradientError(
            f"num_inner_steps is {count:,}; allowed: 0 to {_MOST_STEPS:,}"
        )
    if count > 0 and inner_lr is None:
        raise HypergradientError(f"inner_lr is needed for {count:,} inner steps")
    if inner_lr is not None and not 0 < inner_lr < float("inf"):
        raise HypergradientError(f"inner_lr is {inner_lr:g}; allowed: above 0")
    return GradientDescent(num_inner_steps=count, inner_lr=inner_lr or 0.0)


def _problem(
    inner_loss: Callable[[Any, Any], Tensor],
    outer_loss: Callable[[Any, Any], Tensor],
    outer_tree: TensorTree,
    theta0: Any,
    strength: float | None,
) -> FunctionProblem:
    """Return the problem in flat vectors."""

    def start_of(flat: Tensor) -> Any:
        return theta0(outer_tree.unflattened(flat)) if callable(theta0) else theta0

    inner_tree = TensorTree(start_of(outer_tree.flat), "theta0")
    if inner_tree.flat.dtype != outer_tree.flat.dtype:
        raise TypeError(
            f"theta0 is of {inner_tree.flat.dtype}, phi of {outer_tree.flat.dtype}; "
            "allowed: one dtype"
        )

    def flat_loss(name: str, loss: Callable[[Any, Any], Tensor]) -> LossOf:
        def call(theta: Tensor, phi: Tensor) -> Tensor:
            found: Any = loss(
                inner_tree.unflattened(theta), outer_tree.unflattened(phi)
            )
            if not isinstance(found, Tensor) or found.numel() != 1:
                shape = list(getattr(found, "shape", ()))
                told = f"{type(found).__name__} of shape {shape}"
                raise TypeError(
                    f"{name} returns a {told}; allowed: a tensor of one number"
                )
            return found.reshape(())

        return call

    return FunctionProblem(
        inner_loss=flat_loss("inner_loss", inner_loss),
        outer_loss=flat_loss("outer_loss", outer_loss),
        start=lambda flat: inner_tree.flattened(start_of(flat)),
        strength=strength,
    )


def _roles(problem: FunctionProblem, phi: Tensor) -> frozenset[PhiRole]:
    try:
        roles = problem.roles(phi)
    except ValueError as error:
        raise HypergradientError(str(error)) from error
    if not roles:
        raise HypergradientError(
            "phi enters neither theta0 nor inner_loss nor outer_loss: theta0 may be a "
            "function of phi, such as lambda phi: phi"
        )
    return roles


def _check_fits(
    estimator: HypergradientEstimator, roles: frozenset[PhiRole], strength: float | None
) -> None:
    """Refuse an estimator that does not differentiate the ways in which phi enters."""
    if not roles & estimator.learns:
        entering = " and ".join(sorted(role.value for role in roles))
        needed = " or ".join(sorted(role.value for role in estimator.learns))
        raise HypergradientError(
            f"method {estimator.name!r} cannot differentiate a phi that enters only "
            f"{entering}: it needs one that enters {needed}; 'unrolled' takes any"
        )
    if estimator.needs_strength and strength is None:
        raise HypergradientError(
            f"method {estimator.name!r} needs an inner_loss with a term "
            "strength/2 |theta - centre|^2, and to be told that strength; 'implicit-cg' "
            "takes any minimum"
        )
    if strength is not None and not 0 < strength < float("inf"):
        raise HypergradientError(f"strength is {strength:g}; allowed: above 0")


def _warn(method: str, found: Hypergradient) -> None:
    """Tell what must not pass for an answer."""
    told: list[str] = []
    if not torch.isfinite(found.per_task).all():
        told.append("the hypergradient is not finite: a smaller inner_lr may help")
    solves = found.solves
    if solves is not None and not bool(solves.positive_definite.all()):
        told.append(
            "the Hessian of inner_loss is not positive definite where theta ended: more "
            "inner steps, or damping, may help"
        )
    if solves is not None and not bool(solves.converged.all()):
        told.append(
            f"the linear system is solved to a relative residual of "
            f"{float(solves.residual.max()):.2g}, not {solves.tolerance:.2g}"
        )
    for line in told:
        warnings.warn(f"{method}: {line}", RuntimeWarning, stacklevel=3)
