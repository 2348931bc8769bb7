"""Post-adaptation loss on fresh tasks: the number that papers report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metalab.core.errors import UserError
from metalab.core.learner import MetaLearner
from metalab.core.streams import RandomStreams
from metalab.core.tasks import (
    HELD_OUT,
    LIKE_SUPPORT,
    QueryKind,
    TaskBatch,
    TaskDistribution,
    sample_batch,
)
from metalab.engine.build import DTYPES, build_family, build_learner, resolve_device
from metalab.engine.events import Array, Checkpoint, HeldOutTasks
from metalab.engine.held_out import looked_at, losses_along_paths, to_array
from metalab.engine.providers import AUTODIFF
from metalab.engine.statistics import TaskSummary, summarise
from metalab.engine.torch_threads import use_threads_of
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.memory_needs import check_bytes, sizes_of, task_bytes

BYTES_AT_ONCE = 2**28
"""Of the tasks that are in memory at once, paths and hidden units included."""


class NoTasksError(UserError):
    """Tasks are wanted that a finite set does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshEvaluation:
    """Losses of tasks that the run never saw, all of one network.

    Attributes:
        query_loss: After 0 ... K' inner steps, [task, inner step].
        support_loss: Likewise.
        rmse: Root of the mean over tasks of their mean squared errors, in the target's
            own unit, [inner step]; None where the target has no name.
    """

    query_loss: Array
    support_loss: Array
    rmse: Array | None

    @property
    def num_tasks(self) -> int:
        """Number of tasks."""
        return len(self.query_loss)

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
    subset: str = HELD_OUT,
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
        subset: Of finitely many tasks, which: "held-out", or "validation".

    Inner step 0 is measured on the query set, like every other step. Tasks come from
    their own stream: two runs of one task family evaluated with one seed see the same
    tasks, whatever their method.

    Raises:
        DeviceError: The run's device is not available.
        MemoryNeedError: So many tasks would not fit into memory.
        NoTasksError: There is no such task.
    """
    family = build_family(config).of_subset(subset).for_shots(num_shots)
    num_tasks, num_queries = _counts(family, num_tasks, num_shots, num_queries, subset)
    one = _bytes_of_one(config, num_shots + num_queries, num_inner_steps)
    _check_fits(config, num_tasks, num_shots + num_queries, num_inner_steps)
    use_threads_of(config, AUTODIFF)
    device = resolve_device(config)
    dtype = DTYPES[config.run.precision]
    learner = build_learner(config)
    phi = torch.tensor(checkpoint.phi, dtype=dtype, device=device)
    batch = _drawn(
        family, num_tasks, num_shots, num_queries, dtype=dtype, seed=seed, query=query
    ).to(device)
    at_once = max(1, BYTES_AT_ONCE // one)
    support, query_loss = losses_along_paths(
        learner,
        phi,
        batch,
        num_inner_steps=num_inner_steps,
        tasks_at_once=at_once,
    )
    rmse = None
    if family.target_name:
        errors = [
            _own_errors(
                family,
                learner,
                phi,
                batch.rows(start, start + at_once),
                num_inner_steps,
            )
            for start in range(0, num_tasks, at_once)
        ]
        rmse = to_array(torch.cat(errors).mean(dim=0).sqrt())
    return FreshEvaluation(query_loss=query_loss, support_loss=support, rmse=rmse)


def fresh_tasks(
    config: ExperimentConfig,
    *,
    num_tasks: int,
    num_shots: int,
    num_queries: int,
    seed: int,
    query: QueryKind = LIKE_SUPPORT,
) -> HeldOutTasks:
    """Return the tasks that `evaluate_fresh` measures: points, true curves, names.

    Args:
        config: The experiment.
        num_tasks: As there.
        num_shots: Likewise.
        num_queries: Likewise.
        seed: Likewise.
        query: Likewise.

    Raises:
        NoTasksError: There is no such task.
    """
    family = build_family(config).of_subset(HELD_OUT).for_shots(num_shots)
    num_tasks, num_queries = _counts(
        family, num_tasks, num_shots, num_queries, HELD_OUT
    )
    dtype = DTYPES[config.run.precision]
    batch = _drawn(
        family, num_tasks, num_shots, num_queries, dtype=dtype, seed=seed, query=query
    )
    looked = looked_at(
        build_learner(config),
        family,
        batch,
        device=torch.device("cpu"),
        num_curves=num_tasks,
        num_inner_steps=config.num_shown_steps,
    )
    return looked.describe()


def _counts(
    family: TaskDistribution,
    num_tasks: int,
    num_shots: int,
    num_queries: int,
    subset: str,
) -> tuple[int, int]:
    """Return how many tasks and query points there are of those wanted.

    Raises:
        NoTasksError: There is no task.
    """
    num_tasks = family.num_tasks(num_tasks)
    if num_tasks == 0:
        raise NoTasksError(
            f"there is no {subset} task with {num_shots} support points and one more"
        )
    return num_tasks, family.num_queries(num_queries, num_shots)


def _drawn(  # noqa: PLR0913 - the counts of one evaluation
    family: TaskDistribution,
    num_tasks: int,
    num_shots: int,
    num_queries: int,
    *,
    dtype: torch.dtype,
    seed: int,
    query: QueryKind,
) -> TaskBatch:
    """Return fresh tasks; those of a seed are the same whatever adapts to them."""
    return sample_batch(
        family,
        num_tasks,
        num_shots=num_shots,
        num_queries=num_queries,
        generator=RandomStreams(seed).generator("fresh tasks"),
        dtype=dtype,
        query=query,
    )


NUM_DRAWS = 20
"""Support sets of each task of a table: the tasks are few, their points can be drawn again."""


def num_draws_of(config: ExperimentConfig) -> int:
    """Return how many draws an evaluation averages: 1 of a generator of other tasks."""
    return NUM_DRAWS if build_family(config).target_name else 1


def evaluate_draws(
    config: ExperimentConfig,
    checkpoint: Checkpoint,
    *,
    num_draws: int,
    seed: int,
    tell: Callable[[int], None] = lambda _: None,
    **counts: Any,
) -> FreshEvaluation:
    """Adapt to the same tasks several times, with other support and query sets each time.

    Of a generator they are other tasks, too.

    Args:
        config: The experiment.
        checkpoint: Its meta-parameters.
        num_draws: How often.
        seed: Fixes the first draw; each further one takes the next seed.
        tell: Told which draw is next, from 1.
        **counts: As for `evaluate_fresh`.

    Returns:
        Losses of each task, means over the draws; RMSE over all draws together.
    """
    found: list[FreshEvaluation] = []
    for draw in range(num_draws):
        tell(draw + 1)
        found.append(evaluate_fresh(config, checkpoint, seed=seed + draw, **counts))
    if num_draws == 1:
        return found[0]
    errors = [one.rmse for one in found if one.rmse is not None]
    return FreshEvaluation(
        query_loss=np.mean([one.query_loss for one in found], axis=0),
        support_loss=np.mean([one.support_loss for one in found], axis=0),
        rmse=np.sqrt(np.mean(np.square(errors), axis=0)) if errors else None,
    )


def _own_errors(
    family: TaskDistribution,
    learner: MetaLearner,
    phi: Tensor,
    batch: TaskBatch,
    num_inner_steps: int,
) -> Tensor:
    """Return mean squared errors in the target's own unit, [task, inner step]."""
    problem = learner.problem
    path = learner.adapt(phi, batch, num_inner_steps=num_inner_steps)
    stacked = phi[: problem.meta_dim].expand(batch.num_tasks, -1)
    wanted = family.own_targets(batch.query.y)
    found: list[Tensor] = []
    with torch.no_grad():
        for theta in path.points:
            predicted = problem.meta.predict(
                problem.model, theta, stacked, batch.query.x, batch.support
            )
            own = family.own_targets(predicted[:, :, : family.output_dim])
            error = (own - wanted).square()
            found.append(batch.query.mean(error))
    return torch.stack(found, dim=1)


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
