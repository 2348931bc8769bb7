"""The training tasks of a run, drawn many outer steps at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from metalab.core.fused.plan import Counts
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch, TaskDistribution, sample_batch

STEPS_PER_BLOCK = 256
"""Outer steps whose tasks are drawn in one call (about five times cheaper a step)."""

POINTS_PER_BLOCK = 2**20
"""Most points that one call draws, where a single step does not need more."""

Ahead = Callable[[Callable[[], TaskBatch]], Callable[[], TaskBatch]]
"""Begins to draw in a thread of its own; what it returns waits for the tasks."""


@dataclass(slots=True, kw_only=True)
class TaskStream:
    """Meta-batches by the number of their outer step, and nothing else.

    Attributes:
        family: The distribution over tasks.
        streams: Where randomness comes from.
        counts: Sizes of a meta-batch.
        dtype: Precision.
        device: Where the tasks are wanted.
        num_training_tasks: Different tasks in all; 0 draws new ones every time.
        ahead: Who draws the next block while this one is trained on; changes no number.
    """

    family: TaskDistribution
    streams: RandomStreams
    counts: Counts
    dtype: torch.dtype
    device: torch.device
    num_training_tasks: int = 0
    ahead: Ahead | None = None
    _known: Tensor | None = field(init=False, default=None)
    _drawn: tuple[int, TaskBatch] | None = None
    _coming: tuple[int, Callable[[], TaskBatch]] | None = None

    def __post_init__(self) -> None:
        """Draw the training tasks, where their number is limited."""
        if self.num_training_tasks > 0:
            self._known = self.family.sample_parameters(
                self.num_training_tasks,
                generator=self.streams.generator("set of training tasks"),
                dtype=self.dtype,
            )

    @property
    def steps_per_block(self) -> int:
        """Outer steps that share a draw."""
        counts = self.counts
        points = counts.num_tasks * (counts.num_shots + counts.num_queries)
        return max(1, min(STEPS_PER_BLOCK, POINTS_PER_BLOCK // points))

    def place(self, step: int) -> tuple[int, int]:
        """Return the block of an outer step, and which of its steps that is."""
        return divmod(step, self.steps_per_block)

    def even(self, step: int, count: int) -> int:
        """Return how many of the next steps to make at once: at most `count`, at least 1.

        Calls share what is left of a block evenly, and end where a block ends: a few
        steps left over would cost a call of their own.

        Args:
            step: Outer steps made.
            count: How many may be made, at least 1.
        """
        left = self.steps_per_block - self.place(step)[1]
        if count >= left:
            return left + (count - left) // self.steps_per_block * self.steps_per_block
        return -(-left // -(-left // count))

    def block(self, index: int) -> TaskBatch:
        """Return all tasks of one block."""
        if self._drawn is None or self._drawn[0] != index:
            coming, self._coming = self._coming, None
            if coming is not None and coming[0] == index:
                drawn = coming[1]()
            else:
                drawn = self._draw(index)
            self._drawn = (index, drawn.to(self.device))
            if self.ahead is not None:
                draw = partial(self._draw, index + 1)
                self._coming = (index + 1, self.ahead(draw))
        return self._drawn[1]

    def _draw(self, index: int) -> TaskBatch:
        counts = self.counts
        return sample_batch(
            self.family,
            counts.num_tasks * self.steps_per_block,
            num_shots=counts.num_shots,
            num_queries=counts.num_queries,
            generator=self.streams.generator("training tasks", index),
            dtype=self.dtype,
            known=self._known,
        )

    def num_shots(self, step: int) -> int:
        """Return how many support points each task of one outer step has."""
        low, high = self.counts.num_shots_min, self.counts.num_shots
        if low == 0:
            return high
        # A generator for each step: a few microseconds, and no step depends on another.
        generator = self.streams.generator("number of shots", step)
        return int(torch.randint(low, high + 1, (), generator=generator))

    def batch(self, step: int) -> TaskBatch:
        """Return the meta-batch of one outer step."""
        block, offset = self.place(step)
        count = self.counts.num_tasks
        rows = self.block(block).rows(offset * count, (offset + 1) * count)
        num_shots = self.num_shots(step)
        if num_shots == self.counts.num_shots:
            return rows
        return replace(rows, support=rows.support.first(num_shots))
