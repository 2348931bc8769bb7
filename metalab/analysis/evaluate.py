"""Post-adaptation loss on fresh tasks: the number that papers report."""

from dataclasses import dataclass

import torch

from metalab.core.streams import RandomStreams
from metalab.core.tasks import LIKE_SUPPORT, QueryKind, sample_batch
from metalab.engine.build import DTYPES, build_family, build_learner, resolve_device
from metalab.engine.events import Array, Checkpoint
from metalab.engine.held_out import losses_along_paths
from metalab.engine.providers import AUTODIFF
from metalab.engine.statistics import TaskSummary, summarise
from metalab.engine.torch_threads import use_threads_of
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.memory_needs import check_bytes, sizes_of, task_bytes

BYTES_AT_ONCE = 2**28
"""Of the tasks that are in memory at once, paths and hidden units included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshEvaluation:
    """Losses of tasks that the run never saw, all of one network.

    Attributes:
        query_loss: After 0 ... K' inner steps, [task, inner step].
        support_loss: Likewise.
    """

    query_loss: Array
    support_loss: Array

    def summary(self) -> TaskSummary:
        """Return means, medians and intervals by inner step."""
        return summarise(self.query_loss, self.support_loss)


def evaluate_fresh(  # noqa: PLR0913 - the counts of one evaluation
    config: ExperimentConfig,
    checkpoint: Checkpoint,
    *,
    num_tasks: int,
    num_shots: int,
    num_queries: int,
    num_inner_steps: int,
    seed: int,
    query: QueryKind = LIKE_SUPPORT,
) -> FreshEvaluation:
    """Adapt to fresh tasks from the checkpoint's meta-parameters.

    Args:
        config: The experiment.
        checkpoint: Its meta-parameters.
        num_tasks: Fresh tasks.
        num_shots: Support points of each.
        num_queries: Query points of each.
        num_inner_steps: K'.
        seed: Fixes the tasks.
        query: How query sets are made; tasks and support sets do not depend on it.

    Inner step 0 is measured on the query set, like every other step. Tasks come from
    their own stream: two runs of one task family evaluated with one seed see the same
    tasks, whatever their method.

    Raises:
        DeviceError: The run's device is not available.
        MemoryNeedError: So many tasks would not fit into memory.
    """
    one = _bytes_of_one(config, num_shots + num_queries, num_inner_steps)
    _check_fits(config, num_tasks, num_shots + num_queries, num_inner_steps)
    use_threads_of(config, AUTODIFF)
    device = resolve_device(config)
    dtype = DTYPES[config.run.precision]
    family, learner = build_family(config).held_out(), build_learner(config)
    phi = torch.tensor(checkpoint.phi, dtype=dtype, device=device)
    batch = sample_batch(
        family,
        num_tasks,
        num_shots=num_shots,
        num_queries=num_queries,
        generator=RandomStreams(seed).generator("fresh tasks"),
        dtype=dtype,
        query=query,
    ).to(device)
    support, query_loss = losses_along_paths(
        learner,
        phi,
        batch,
        num_inner_steps=num_inner_steps,
        tasks_at_once=max(1, BYTES_AT_ONCE // one),
    )
    return FreshEvaluation(query_loss=query_loss, support_loss=support)


def _bytes_of_one(
    config: ExperimentConfig, num_points: int, num_inner_steps: int
) -> int:
    """Return what one task holds while it is adapted."""
    return task_bytes(
        sizes_of(config),
        num_points=num_points,
        num_inner_steps=num_inner_steps,
        keeps_path=True,
    )


def _check_fits(
    config: ExperimentConfig, num_tasks: int, num_points: int, num_inner_steps: int
) -> None:
    """Refuse more tasks than memory holds: their points, losses, and one adapted."""
    sizes = sizes_of(config)
    numbers = num_tasks * (num_points * (sizes.num_inputs + 1) + num_inner_steps + 1)
    one = _bytes_of_one(config, num_points, num_inner_steps)
    check_bytes(
        numbers * sizes.item_size + one,
        f"an evaluation of {num_tasks:,} tasks with {num_points:,} points each",
    )
