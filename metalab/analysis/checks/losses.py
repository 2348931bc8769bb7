"""Checks of a loss."""

from collections.abc import Mapping

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    FLOAT64,
    NUM_TASKS,
    QUERIES,
    alone,
    at_bounds,
    normal,
    require_close,
    slope_error,
    unequal_batch,
)
from metalab.analysis.checks.verdict import Check, require
from metalab.core.loss.base import Loss
from metalab.core.tasks import Samples

_SHOTS, _OUTPUTS = 5, 2


def checks_of_loss(kind: type[Loss]) -> Mapping[str, Check]:
    """Return the checks of a class of losses, by what they try."""
    return {
        "shapes": lambda: _shapes(kind()),
        "mean taken once": lambda: _mean_once(kind()),
        "masked points": lambda: _masked(kind()),
        "gradient": lambda: _gradient(kind()),
        "options at their bounds": lambda: _bounds(kind),
    }


def _samples(dtype: torch.dtype = FLOAT64) -> Samples:
    x = normal(NUM_TASKS, _SHOTS, 1, seed=1, dtype=dtype)
    return Samples(x=x, y=normal(NUM_TASKS, _SHOTS, _OUTPUTS, seed=2, dtype=dtype))


def _prediction(loss: Loss, dtype: torch.dtype = FLOAT64) -> Tensor:
    outputs = loss.num_outputs(_OUTPUTS)
    return normal(NUM_TASKS, _SHOTS, outputs, seed=3, dtype=dtype)


def _shapes(loss: Loss) -> None:
    for dtype in (torch.float32, FLOAT64):
        samples, prediction = _samples(dtype), _prediction(loss, dtype)
        costs = loss.costs(prediction, samples.y)
        require(
            costs.ndim == 3 and costs.shape[:2] == prediction.shape[:2],
            f"costs are {list(costs.shape)}; allowed: [task, shot, cost], here "
            f"[{NUM_TASKS}, {_SHOTS}, ...]",
        )
        found = loss(prediction, samples)
        require(
            found.shape == (NUM_TASKS,) and found.dtype is dtype,
            f"the loss is {list(found.shape)} in {found.dtype}; allowed: "
            f"[{NUM_TASKS}] in {dtype}",
        )
        require(found.isfinite().all(), "the loss is not finite")
        require(torch.equal(found, loss(prediction, samples)), "two calls differ")


def _mean_once(loss: Loss) -> str:
    samples, prediction = _samples(), _prediction(loss)
    twice = samples.each(lambda values: torch.cat([values, values], dim=1))
    doubled = loss(torch.cat([prediction, prediction], dim=1), twice)
    error = float((doubled - loss(prediction, samples)).abs().max())
    return require_close(error, 1e-12, "losses of points and of the same points twice")


def _masked(loss: Loss) -> str:
    whole = unequal_batch()
    tasks, shots, targets = whole.query.y.shape
    outputs = loss.num_outputs(targets)
    prediction = normal(tasks, shots, outputs, seed=3).requires_grad_()
    together = loss(prediction, whole.query)
    apart = [
        loss(prediction[t : t + 1, :count], alone(whole, t).query)
        for t, count in enumerate(QUERIES)
    ]
    (grad,) = torch.autograd.grad(together.sum(), prediction)
    assert whole.query.mask is not None
    filled = grad[whole.query.mask == 0]
    require(not filled.any(), "points that fill tasks up are learned from")
    error = float((together - torch.cat(apart)).detach().abs().max())
    return require_close(error, 1e-12, "tasks of unequal sizes together and alone")


def _gradient(loss: Loss) -> str:
    samples, prediction = _samples(), _prediction(loss)

    def function(at: Tensor) -> Tensor:
        return loss(at, samples).sum()

    leaf = prediction.clone().requires_grad_()
    (grad,) = torch.autograd.grad(function(leaf), leaf)
    error = slope_error(function, prediction, grad)
    return require_close(error, 1e-6, "gradient and finite differences")


def _bounds(kind: type[Loss]) -> str:
    tried = 0
    for words, options in at_bounds(kind):
        loss = kind(**options)
        found = loss(_prediction(loss), _samples())
        require(found.isfinite().all(), f"{words}: the loss is not finite")
        tried += 1
    return f"{tried} tried"
