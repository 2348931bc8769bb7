"""Estimate of an experiment's memory, from its settings alone: nothing is allocated.

The counts are lower bounds, of what must be held at once: an experiment that is refused
for them could not run. `analysis.memory` measures what a computation really takes.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metalab.core.errors import UserError
from metalab.core.hypergradient.base import PathStorage

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig

MOST_BYTES = 64 * 2**30
"""Of any experiment, on any machine: settings beyond it are a slip of the hand."""

SHARE = 0.8
"""Of a machine's memory that a run may ask for; the rest is torch, window, system."""

_ITEM_SIZES = {"float32": 4, "float64": 8}
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


class MemoryNeedError(UserError):
    """A computation that would not fit into memory; names what it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Counts that follow from the parts of an experiment.

    Attributes:
        inner_dim: Parameters that a task adapts.
        meta_dim: Meta-parameters, learned rates included.
        num_units: Hidden units of the network, all layers together.
        num_inputs: Inputs of the network.
        item_size: Bytes of one number.
    """

    inner_dim: int
    meta_dim: int
    num_units: int
    num_inputs: int
    item_size: int


def sizes_of(config: "ExperimentConfig") -> Sizes:
    """Return the counts of an experiment."""
    meta, model = config.meta.build(), config.build_model()
    adapted = meta.adapted_blocks(model)
    return Sizes(
        inner_dim=sum(block.size for block in adapted),
        meta_dim=meta.meta_dim(model) + config.inner.build().meta_dim(adapted),
        num_units=model.activations_per_point,
        num_inputs=model.input_dim,
        item_size=_ITEM_SIZES[config.run.precision],
    )


def task_bytes(
    sizes: Sizes, *, num_points: int, num_inner_steps: int, keeps_path: bool
) -> int:
    """Return what one task holds while it is adapted and differentiated.

    Args:
        sizes: Those of the experiment.
        num_points: Support and query points.
        num_inner_steps: K.
        keeps_path: Whether every theta_k stays until the end.
    """
    # theta, its gradient and the hypergradient's row; of the points, x, y and the units.
    kept = num_inner_steps if keeps_path else 0
    parameters = (2 + kept) * sizes.inner_dim + sizes.meta_dim
    points = num_points * (sizes.num_inputs + 1 + sizes.num_units)
    return sizes.item_size * (parameters + points)


def training_bytes(config: "ExperimentConfig") -> int:
    """Return what one outer step and the state of training hold."""
    sizes = sizes_of(config)
    tasks = config.tasks
    one = task_bytes(
        sizes,
        num_points=tasks.num_shots + tasks.num_queries,
        num_inner_steps=config.num_inner_steps,
        keeps_path=config.hypergradient.component.keep is not PathStorage.END,
    )
    # phi, its direction and two moments.
    return config.outer.num_tasks * one + 4 * sizes.item_size * sizes.meta_dim


def evaluation_bytes(config: "ExperimentConfig") -> int:
    """Return what the held-out tasks and their losses hold."""
    sizes, evaluation = sizes_of(config), config.evaluation
    points = config.eval_shots + evaluation.num_queries
    tasks = evaluation.num_tasks * points * (sizes.num_inputs + 1)
    losses = 2 * evaluation.num_tasks * (1 + config.num_shown_steps)
    # A slice of them at least is adapted at once, and keeps its path.
    path = 16 * sizes.inner_dim * (1 + config.num_shown_steps)
    return sizes.item_size * (tasks + losses + path)


def memory_refusal(config: "ExperimentConfig") -> str | None:
    """Return why an experiment is too large for any machine, or None."""
    needs = {
        "an outer step (model, outer.num_tasks, tasks, inner.num_inner_steps)": (
            training_bytes(config)
        ),
        "an evaluation (model, evaluation)": evaluation_bytes(config),
    }
    what, needed = max(needs.items(), key=lambda item: item[1])
    if needed <= MOST_BYTES:
        return None
    return (
        f"{what} takes at least {_in_words(needed)}; allowed: {_in_words(MOST_BYTES)}"
    )


def check_bytes(needed: int, what: str) -> None:
    """Refuse a computation that would not fit into the memory of this machine.

    Args:
        needed: Bytes that it holds at least.
        what: Its name in the message.

    Raises:
        MemoryNeedError: It does not fit.
    """
    there = SHARE * available_bytes()
    if needed > there:
        raise MemoryNeedError(
            f"{what} takes at least {_in_words(needed)} of memory; this machine lets a "
            f"run have {_in_words(int(there))}"
        )


def available_bytes() -> int:
    """Return how much memory this process may have at all, as far as the system tells.

    The smallest of the machine's, its container's, and the limits of the process.
    """
    limits = [MOST_BYTES, *_machine_limits(), *_process_limits()]
    return min(limits)


def _machine_limits() -> list[int]:
    limits: list[int] = []
    if hasattr(os, "sysconf"):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    try:
        told = _CGROUP_LIMIT.read_text("ascii").strip()
    except OSError:
        return limits
    return [*limits, int(told)] if told.isdigit() else limits


def _process_limits() -> list[int]:
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return []
    found = [resource.getrlimit(kind)[0] for kind in _kinds(resource)]
    return [limit for limit in found if limit != resource.RLIM_INFINITY]


def _kinds(resource: object) -> list[int]:
    names = ("RLIMIT_AS", "RLIMIT_DATA")
    return [getattr(resource, name) for name in names if hasattr(resource, name)]


def _in_words(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"
