"""Looking at how tasks adapt, on the compiled kernels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from metalab.core.fused import indices
from metalab.core.fused.kernels.gemm import address_of_product
from metalab.core.fused.kernels.look import look
from metalab.core.fused.layout import PRODUCT
from metalab.core.fused.plan import (
    MOST_NUMBERS,
    Counts,
    KernelPlan,
    adaptation_unsupported_reason,
    fixed_rate,
    make_plan,
)
from metalab.core.fused.run import Data, aligned
from metalab.core.fused.support import dtype_of
from metalab.core.learner import MetaLearner
from metalab.core.tasks import TaskBatch

Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What tasks look like after 0 ... K' inner steps.

    Attributes:
        support_loss: [task, K' + 1].
        query_loss: [task, K' + 1].
        curves: First output on the grid, [task with a grid, K' + 1, point].
    """

    support_loss: Array
    query_loss: Array
    curves: Array


class FusedView:
    """Looks at tasks, each time in one native call."""

    def __init__(
        self,
        learner: MetaLearner,
        batch: TaskBatch,
        grid_x: Float[Tensor, "gallery point input"],
        *,
        num_steps: int,
    ) -> None:
        """Prepare to look.

        Args:
            learner: One that runs natively.
            batch: The tasks.
            grid_x: Where the curves of the first tasks are drawn.
            num_steps: K'.
        """
        counts = Counts(
            num_tasks=batch.num_tasks,
            num_shots=batch.support.x.shape[1],
            num_queries=batch.query.x.shape[1],
            num_grid_points=grid_x.shape[1],
        )
        inputs = learner.problem.model.input_dim
        if grid_x.shape[2] != inputs:
            raise RuntimeError(
                f"the grid has {grid_x.shape[2]} inputs; the network has {inputs}"
            )
        plan = make_plan(learner, counts, num_chunks=1, num_steps=num_steps)
        dtype = dtype_of(batch.support.x.dtype)
        self._plan: KernelPlan = plan
        self._data = Data.of(batch)
        self._data.describe(plan.plan)
        self._grid = grid_x.contiguous().view(-1).numpy()
        self._num_curves, self._num_points = grid_x.shape[:2]
        self._num_tasks, self._num_steps = batch.num_tasks, num_steps
        self._rate = fixed_rate(learner.inner)
        self._net = plan.layout.description.copy()
        self._net[PRODUCT] = address_of_product(dtype)
        self._work = aligned((1, plan.num_numbers), dtype)[0]
        self._sums = np.zeros(indices.SUMS_SIZE)

    def __call__(
        self, phi: Float[Tensor, " meta"], *, num_tasks: int | None = None
    ) -> Look:
        """Adapt the first `num_tasks` tasks, or all, from meta-parameters on the CPU."""
        count = self._num_tasks if num_tasks is None else num_tasks
        dtype = self._work.dtype
        flat = np.zeros(int(self._plan.plan[indices.META]), dtype)
        flat[self._plan.order] = phi.numpy()
        width = self._num_steps + 1
        seen = Look(
            support_loss=np.empty((count, width), dtype),
            query_loss=np.empty((count, width), dtype),
            curves=np.empty(
                (min(self._num_curves, count), width, self._num_points), dtype
            ),
        )
        data = self._data
        look(
            self._work, self._net, self._plan.plan, self._plan.scalars, self._plan.ranges,
            flat, self._num_steps, self._rate, self._sums, data.xs, data.ys, data.xq,
            data.yq, data.ms, data.mq, self._grid, seen.support_loss, seen.query_loss, seen.curves,
        )  # fmt: skip
        return seen


def can_view(learner: MetaLearner, batch: TaskBatch, num_steps: int) -> bool:
    """Return whether there are kernels to look with, and room for the path of a task."""
    if adaptation_unsupported_reason(learner) is not None:
        return False
    counts = Counts(
        num_tasks=1,
        num_shots=batch.support.x.shape[1],
        num_queries=batch.query.x.shape[1],
    )
    plan = make_plan(learner, counts, num_chunks=1, num_steps=num_steps)
    return plan.num_numbers <= MOST_NUMBERS
