"""Tasks as values, and the families they are drawn from.

A task is one row of numbers (for a sine: amplitude and phase), so it can be stored,
plotted with its true curve, dragged, replayed and used by two algorithms. A family knows
how to draw such rows, where to draw inputs, and what the true target is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.errors import UserError
from metalab.core.script import UnitsSource

Shots = int | Float[Tensor, "task 1"]
"""Number of points of a task: one for all, or one a task where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Labelled points of a batch of tasks.

    Tasks of different sizes are filled up with points that count nowhere.

    Attributes:
        x: Inputs, [task, shot, input].
        y: Targets, [task, shot, output].
        mask: 1 for points, 0 for what fills up, [task, shot]; None where every task has
            as many points.
    """

    x: Float[Tensor, "task shot input"]
    y: Float[Tensor, "task shot output"]
    mask: Float[Tensor, "task shot"] | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> "Samples":
        """Return the points with each of their tensors changed alike.

        Args:
            change: Of the first axes alone, [task, shot, ...].
        """
        mask = None if self.mask is None else change(self.mask)
        return Samples(x=change(self.x), y=change(self.y), mask=mask)

    def to(self, device: torch.device) -> "Samples":
        """Return the same points on another device."""
        return self.each(lambda values: values.to(device))

    def rows(self, start: int, stop: int) -> "Samples":
        """Return tasks `start` to `stop` (views, no copy)."""
        return self.each(lambda values: values[start:stop])

    def shots(self, chosen: slice) -> "Samples":
        """Return some points of each task (views, no copy)."""
        return self.each(lambda values: values[:, chosen])

    def first(self, count: int) -> "Samples":
        """Return the first points of each task (views, no copy)."""
        return self.shots(slice(count))

    @property
    def num_shots(self) -> Shots:
        """Number of points of each task that count."""
        if self.mask is None:
            return self.x.shape[1]
        # A minibatch may hold none of a small task's points: it then costs nothing.
        return self.mask.sum(dim=1, keepdim=True).clamp(min=1.0)

    def counted(self, values: Float[Tensor, "task shot any"]) -> Tensor:
        """Return values of each point, 0 where there is none."""
        return values if self.mask is None else values * self.mask[..., None]

    def mean_over_shots(
        self, values: Float[Tensor, "task shot any"]
    ) -> Float[Tensor, "task any"]:
        """Return the mean of values over the points that count."""
        if self.mask is None:
            return values.mean(dim=1)
        return self.counted(values).sum(dim=1) / self.num_shots

    def mean(self, values: Float[Tensor, "task shot any"]) -> Float[Tensor, " task"]:
        """Return the mean of values over the points that count and over the last axis."""
        if self.mask is None:
            return values.mean(dim=(1, 2))
        return self.mean_over_shots(values).mean(dim=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBatch:
    """A meta-batch: task values with their support and query sets.

    Attributes:
        parameters: One task value a row, [task, parameter].
        support: The set the inner loop adapts to.
        query: The set the outer loss is measured on.
    """

    parameters: Float[Tensor, "task parameter"]
    support: Samples
    query: Samples

    @property
    def num_tasks(self) -> int:
        """Number of tasks in the batch."""
        return self.support.x.shape[0]

    def to(self, device: torch.device) -> "TaskBatch":
        """Return the same batch on another device."""
        return TaskBatch(
            parameters=self.parameters.to(device),
            support=self.support.to(device),
            query=self.query.to(device),
        )

    def rows(self, start: int, stop: int) -> "TaskBatch":
        """Return tasks `start` to `stop` (views, no copy)."""
        return TaskBatch(
            parameters=self.parameters[start:stop],
            support=self.support.rows(start, stop),
            query=self.query.rows(start, stop),
        )


class Targets(Enum):
    """Kind of a task's targets."""

    NUMBERS = "numbers"
    PROBABILITIES = "probabilities of classes"
    """One output a class, which sum to 1 (a class that is known is 1, all others 0); or
    one output alone, the probability of the second of two classes."""


class TaskError(UserError):
    """A family draws other tasks than it declares."""


TRAINING, VALIDATION, HELD_OUT = "training", "validation", "held-out"
SUBSETS = (TRAINING, VALIDATION, HELD_OUT)
"""Of finitely many tasks: trained on, kept for choices, and kept for the end."""

QUERY_INPUTS = ("random", "grid")
QUERY_TARGETS = ("noisy", "noise-free")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryKind:
    """Way in which query sets are made; the defaults are those of training.

    Attributes:
        inputs: "random": drawn like the support set; "grid": evenly spaced over the
            family's `input_range`, ends included.
        targets: "noisy" like the support set's, or "noise-free".
    """

    inputs: str = "random"
    targets: str = "noisy"


LIKE_SUPPORT = QueryKind()


class TaskDistribution(ABC):
    """A distribution over tasks that points can be drawn from, and no more.

    Everything random comes from the generator that is passed in; tensors are made on the
    generator's device in the requested dtype. A task is one row of numbers; for tasks
    that were observed, the number may be which one it is.

    What plots use has defaults: a distribution may offer a true curve (`true_targets`), a
    section of its inputs (`inputs_at`) and names of tasks (`task_name`), and need not.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    output_dim: ClassVar[int] = 1
    tells_the_task: ClassVar[bool] = False
    """Whether the network is given a task's numbers beside the inputs."""
    targets: ClassVar[Targets] = Targets.NUMBERS
    inputs_lie_on_a_curve: ClassVar[bool] = True
    """Whether every input is one of `inputs_at`, so that plots show all there is; if
    not, they show a section of the task, and points beside it."""

    @property
    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """Names of a task's numbers, in the order of the columns."""

    @property
    def input_dim(self) -> int:
        """Number of inputs; one unless a family says otherwise."""
        return 1

    @property
    @abstractmethod
    def input_range(self) -> tuple[float, float]:
        """Where inputs are drawn from, per coordinate; the x axis of plots."""

    @abstractmethod
    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw task values, [task, parameter]."""

    @abstractmethod
    def sample_points(
        self,
        parameters: Float[Tensor, "task parameter"],
        *,
        num_shots: int,
        num_queries: int,
        query: QueryKind,
        generator: torch.Generator,
    ) -> Samples:
        """Draw labelled points of tasks: the support set, and the query set behind it.

        Args:
            parameters: The tasks' values; the points have their dtype.
            num_shots: Support points of each task.
            num_queries: Query points of each task.
            query: How query sets are made.
            generator: The only source of randomness.

        Returns:
            [task, num_shots + num_queries, ...].
        """

    @classmethod
    def completed(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return options as a person wrote them, with what follows from them filled in.

        Raises:
            ValueError: Says which option, its value and what is allowed.
        """
        return options

    def carried(self) -> Mapping[str, bytes]:
        """Return what a run file has to hold so that its tasks can be drawn elsewhere.

        By name; nothing where the settings say it all.
        """
        return {}

    def refusal(self, num_shots: int) -> str | None:
        """Return why tasks of so many support points cannot be drawn, or None."""
        del num_shots
        return None

    def of_subset(self, subset: str) -> "TaskDistribution":
        """Return the distribution of one of `SUBSETS` of the tasks.

        By default the same: of infinitely many tasks, new ones are others.
        """
        del subset
        return self

    def held_out(self) -> "TaskDistribution":
        """Return the distribution of tasks that are never trained on."""
        return self.of_subset(HELD_OUT)

    @property
    def target_unit(self) -> str:
        """Unit of the targets that losses compare: "y", or another after scaling."""
        return "y"

    @property
    def target_name(self) -> str:
        """Name of the target; "" where it has none."""
        return ""

    @property
    def input_name(self) -> str:
        """Name of the first input; "" where it has none."""
        return ""

    def for_shots(self, num_shots: int) -> "TaskDistribution":
        """Return the tasks that have so many support points, and one more to measure on.

        By default every one.
        """
        del num_shots
        return self

    def num_tasks(self, wanted: int) -> int:
        """Return how many tasks a draw of `wanted` gives: no more than there are."""
        return wanted

    def num_queries(self, wanted: int, num_shots: int) -> int:
        """Return how many query points a task has beside its support set, at most."""
        del num_shots
        return wanted

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return the inputs at places of the x axis of plots, [*points, input].

        The first input is the place on the axis; by default all others are 0.
        """
        rest = (0, self.input_dim - 1)
        return torch.nn.functional.pad(position[..., None], rest)

    def observed(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot place"],
    ) -> Float[Tensor, "task shot input"]:
        """Return what the network is given at inputs x in their own units.

        The inputs themselves, unless a family scales them or tells the network more.
        """
        del parameters
        return x

    def own_inputs(self, x: Float[Tensor, "*points input"]) -> Tensor:
        """Return inputs of a network in their own units: the way back of `observed`."""
        return x

    def given_targets(self, y: Tensor) -> Tensor:
        """Return targets in their own unit as the network learns them."""
        return y

    def own_targets(self, y: Tensor) -> Tensor:
        """Return predictions in the target's own unit: the way back."""
        return y

    def own_deviation(self, deviation: Tensor, own: Tensor) -> Tensor:
        """Return a prediction's standard deviation in the target's own unit.

        Args:
            deviation: In what the network learns.
            own: The prediction, in its own unit.
        """
        del own
        return deviation

    def units_source(self) -> UnitsSource | None:
        """Return the way to the network's units and back, as source of torch alone.

        By default there is none to go; None where a family goes one and declares none.
        """
        own = ("own_inputs", "given_targets", "own_targets")
        if any(getattr(type(self), n) is not getattr(TaskDistribution, n) for n in own):
            return None
        return UnitsSource()

    @property
    def may_travel(self) -> bool:
        """Whether points of the tasks may be written beside what a run has learned."""
        return True

    def true_targets(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"] | None:
        """Return noise-free targets at `x`; None where nobody knows them."""
        del parameters, x
        return None

    def task_name(self, parameters: Float[Tensor, " parameter"]) -> str:
        """Return what a task is called; "" where its numbers are all there is."""
        del parameters
        return ""


class TaskFamily(TaskDistribution):
    """A distribution over functions with a true curve. Frozen dataclasses, one a file."""

    __slots__ = ()

    def inputs_at(self, position: Float[Tensor, "*points"]) -> Tensor:
        """Return the inputs of `target` at places of the x axis, [*points, input].

        A family of several inputs names a curve whose first coordinate is the place on
        the axis, so that its tasks can be plotted; one input is the place.
        """
        return position[..., None]

    @property
    @abstractmethod
    def noise(self) -> float:
        """Standard deviation of the noise on the targets, in units of y."""

    @abstractmethod
    def sample_inputs(
        self,
        num_tasks: int,
        num_samples: int,
        *,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> Float[Tensor, "task shot input"]:
        """Draw inputs, [task, shot, input]."""

    @abstractmethod
    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the true, noise-free target at `x`, [task, shot, output]."""

    def true_targets(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"] | None:
        """Return the true, noise-free target at `x`."""
        return self.target(parameters, x)

    def sample_points(
        self,
        parameters: Float[Tensor, "task parameter"],
        *,
        num_shots: int,
        num_queries: int,
        query: QueryKind,
        generator: torch.Generator,
    ) -> Samples:
        """Draw inputs, and targets with their noise.

        Source: Finn et al. 2017, section 5.1 (support and query are one draw of
            `num_shots + num_queries` points, split). Zintgraf et al. 2019 evaluate on a
            grid of 100 points, Nichol et al. 2018 on one of 50.
        """
        num_tasks, dtype = len(parameters), parameters.dtype
        x = self.sample_inputs(
            num_tasks, num_shots + num_queries, generator=generator, dtype=dtype
        )
        if query.inputs == "grid":
            low, high = self.input_range
            places = torch.linspace(
                low, high, num_queries, dtype=dtype, device=x.device
            )
            grid = self.inputs_at(places).expand(num_tasks, -1, -1)
            x = torch.cat([x[:, :num_shots], grid], dim=1)
        y = self.target(parameters, x)
        if self.noise > 0:
            noise = self.noise * torch.randn(
                y.shape, generator=generator, dtype=dtype, device=y.device
            )
            if query.targets == "noise-free":
                noise[:, num_shots:] = 0.0
            y = y + noise
        return Samples(x=self.observed(parameters, x), y=y)


def sample_batch(  # noqa: PLR0913 - the counts of one draw
    family: TaskDistribution,
    num_tasks: int,
    *,
    num_shots: int,
    num_queries: int,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
    query: QueryKind = LIKE_SUPPORT,
    known: Float[Tensor, "known parameter"] | None = None,
) -> TaskBatch:
    """Draw tasks with independent support and query sets.

    Args:
        family: The distribution over tasks.
        num_tasks: Number of tasks.
        num_shots: Support points of each task.
        num_queries: Query points of each task.
        generator: The only source of randomness.
        dtype: Precision of the tensors.
        query: How query sets are made. Tasks and support sets do not depend on it.
        known: Task values that each task is one of, evenly and independently drawn;
            None draws new ones.

    Returns:
        The batch, on the generator's device. Of finitely many observed tasks, no more
        tasks and query points than there are.

    Raises:
        TaskError: The family draws other than it declares. Who computes with the tasks
            goes by the declaration: automatic differentiation would broadcast, and
            compiled kernels would read what is not theirs.
    """
    family = family.for_shots(num_shots)
    num_tasks = num_tasks if known is not None else family.num_tasks(num_tasks)
    num_queries = family.num_queries(num_queries, num_shots)
    if known is None:
        parameters = family.sample_parameters(
            num_tasks, generator=generator, dtype=dtype
        )
    else:
        chosen = torch.randint(
            len(known), (num_tasks,), generator=generator, device=known.device
        )
        parameters = known[chosen]
    drawn = family.sample_points(
        parameters,
        num_shots=num_shots,
        num_queries=num_queries,
        query=query,
        generator=generator,
    )
    shape = (num_tasks, num_shots + num_queries)
    _check_drawn(family, "inputs", drawn.x, (*shape, family.input_dim), dtype)
    _check_drawn(family, "targets", drawn.y, (*shape, family.output_dim), dtype)
    if drawn.mask is not None:
        _check_drawn(family, "a mask", drawn.mask, shape, dtype)
    return TaskBatch(
        parameters=parameters,
        support=drawn.first(num_shots),
        query=drawn.shots(slice(num_shots, None)),
    )


def _check_drawn(
    family: TaskDistribution,
    what: str,
    drawn: Tensor,
    shape: tuple[int, ...],
    dtype: torch.dtype,
) -> None:
    if drawn.shape != shape or drawn.dtype != dtype:
        raise TaskError(
            f"tasks.family {family.name!r} draws {what} of shape "
            f"{list(drawn.shape)} in {drawn.dtype}; it declares {list(shape)}, asked for "
            f"in {dtype}"
        )
