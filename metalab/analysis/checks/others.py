"""Checks of a task family and of an outer optimizer."""

from collections.abc import Mapping

import torch
from torch import Tensor

from metalab.analysis.checks.problems import (
    FLOAT64,
    at_bounds,
    generator,
    normal,
    require_global_generator_untouched,
)
from metalab.analysis.checks.verdict import Check, require
from metalab.core.outer import OuterOptimizer
from metalab.core.tasks import TaskBatch, TaskDistribution, sample_batch

_NUM_TASKS, _SHOTS, _QUERIES = 6, 3, 4
_DIM = 7


def checks_of_family(kind: type[TaskDistribution]) -> Mapping[str, Check]:
    """Return the checks of a class of task families, by what they try."""
    return {
        "shapes": lambda: _shapes(kind()),
        "determinism": lambda: _determinism(kind()),
        "options at their bounds": lambda: _bounds(kind),
    }


def checks_of_optimizer(kind: type[OuterOptimizer]) -> Mapping[str, Check]:
    """Return the checks of a class of outer optimizers, by what they try."""
    return {"update": lambda: _update(kind())}


def _draw(
    family: TaskDistribution, dtype: torch.dtype = FLOAT64, seed: int = 0
) -> TaskBatch:
    return sample_batch(
        family,
        _NUM_TASKS,
        num_shots=_SHOTS,
        num_queries=_QUERIES,
        generator=generator(seed),
        dtype=dtype,
    )


def _tensors(batch: TaskBatch) -> list[Tensor]:
    support, query = batch.support, batch.query
    return [batch.parameters, support.x, support.y, query.x, query.y]


def _shapes(family: TaskDistribution) -> None:
    wanted = [
        (_NUM_TASKS, len(family.parameter_names)),
        (_NUM_TASKS, _SHOTS, family.input_dim),
        (_NUM_TASKS, _SHOTS, family.output_dim),
        (_NUM_TASKS, _QUERIES, family.input_dim),
        (_NUM_TASKS, _QUERIES, family.output_dim),
    ]
    for dtype in (torch.float32, FLOAT64):
        found = _tensors(_draw(family, dtype))
        shapes = [tuple(tensor.shape) for tensor in found]
        require(shapes == wanted, f"tensors are {shapes}; allowed: {wanted}")
        require(all(t.dtype is dtype for t in found), f"not everything is {dtype}")
        require(all(t.isfinite().all() for t in found), "not everything is finite")
    low, high = family.input_range
    require(low < high, f"input_range is {low:g} to {high:g}")


def _determinism(family: TaskDistribution) -> None:
    require_global_generator_untouched(lambda: _draw(family))
    one, other = _tensors(_draw(family)), _tensors(_draw(family))
    require(all(map(torch.equal, one, other)), "one seed draws different tasks")
    moved = _tensors(_draw(family, seed=1))
    require(not all(map(torch.equal, one, moved)), "two seeds draw the same tasks")


def _bounds(kind: type[TaskDistribution]) -> str:
    tried, refused = 0, list[str]()
    for words, options in at_bounds(kind):
        try:
            family = kind(**options)
        except ValueError:
            # Two options may have to be changed together.
            refused.append(words)
            continue
        finite = all(t.isfinite().all() for t in _tensors(_draw(family)))
        require(finite, f"{words}: not everything is finite")
        tried += 1
    note = f"; refused by itself: {', '.join(refused)}" if refused else ""
    return f"{tried} tried{note}"


def _update(optimizer: OuterOptimizer) -> None:
    phi, direction = normal(_DIM, seed=1), normal(_DIM, seed=2)
    kept = phi.clone(), direction.clone()
    ends: list[Tensor] = []
    for _ in range(2):
        at, slots = phi, optimizer.init(phi)
        for step in range(3):
            at, slots = optimizer.update(at, direction, slots, step=step, lr=0.01)
        ends.append(at)
    require(ends[0].shape == (_DIM,), f"phi becomes {list(ends[0].shape)}")
    require(ends[0].isfinite().all(), "phi is not finite any more")
    require(torch.equal(*ends), "two runs differ")
    same = torch.equal(phi, kept[0]) and torch.equal(direction, kept[1])
    require(same, "an argument is modified")
