"""Adapting to one task whose support set a person has chosen, from any meta-parameters."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from metalab.analysis.adapt_request import AdaptRequest, AdaptResult, CustomTask, Start
from metalab.analysis.edited_support import EditedSupport, SupportEditResult
from metalab.core.errors import UserError
from metalab.core.inner.descent import FixedRateDescent
from metalab.core.learner import MetaLearner
from metalab.core.loss.base import Loss
from metalab.core.tasks import Samples, TaskBatch, TaskDistribution
from metalab.engine.build import DTYPES, build_family, build_learner
from metalab.engine.events import Array
from metalab.engine.held_out import (
    held_out_evaluation,
    predictive_deviation,
    to_array,
)
from metalab.engine.providers import FUSED
from metalab.experiment.config import ExperimentConfig

_CPU = torch.device("cpu")
"""Wherever the run computes: one task is too small to gain from another device, and
must not synchronise with it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _AdaptedTask:
    """One task along its inner path.

    Attributes:
        thetas: theta_0 ... theta_K', [inner step, inner].
        on_grid: Outputs of the networks on a grid, [inner step, point, output].
        support_loss: [inner step].
        query_loss: On the query set of the task, [inner step]; None where it has none.
        deviation: Predictive standard deviation on the grid, [inner step, point], or None.

    Predictions are what the network learns; `own` puts them in their own unit.
    """

    thetas: Tensor
    on_grid: Tensor
    support_loss: Array
    query_loss: Array | None
    deviation: Tensor | None

    def own(self, family: TaskDistribution) -> tuple[Array, Array | None]:
        """Return curves and deviation in the target's own unit, [inner step, point]."""
        curves = family.own_targets(self.on_grid[..., 0])
        if self.deviation is None:
            return to_array(curves), None
        return to_array(curves), to_array(family.own_deviation(self.deviation, curves))


class OneTaskMethod:
    """A method that adapts to one task: on the CPU, sharing nothing with a run.

    Attributes:
        learner: The method.
        dtype: Of its numbers.
    """

    def __init__(self, learner: MetaLearner, dtype: torch.dtype) -> None:
        self.learner, self.dtype = learner, dtype

    def adapted(
        self,
        phi: Tensor,
        batch: TaskBatch,
        grid: Tensor,
        *,
        num_inner_steps: int,
        query: Samples | None,
    ) -> _AdaptedTask:
        """Adapt to a task, and predict once with all networks on the way.

        Args:
            phi: Meta-parameters, [meta].
            batch: The task alone.
            grid: Inputs at which curves are drawn, [point, input].
            num_inner_steps: K'.
            query: What is measured beside the support set, if anything.

        Cost: K' gradients of one task, then one prediction of all K' + 1 networks.
        """
        path = self.learner.adapt(phi, batch, num_inner_steps=num_inner_steps)
        thetas, support = torch.cat(path.points), batch.support
        parts = [grid, support.x[0], *([] if query is None else [query.x[0]])]
        predicted = self.predict(phi, thetas, torch.cat(parts), support)
        on_grid, on_support, *rest = predicted.split([len(p) for p in parts], dim=1)
        deviation = predictive_deviation(
            self.learner, phi, grid[None], support, on_grid[None]
        )
        return _AdaptedTask(
            thetas=thetas,
            on_grid=on_grid,
            support_loss=self.losses(self.learner.problem.loss, on_support, support),
            query_loss=None if query is None else self.query_losses(rest[0], query),
            deviation=None if deviation is None else deviation[0],
        )

    def predict(
        self, phi: Tensor, thetas: Tensor, x: Tensor, support: Samples
    ) -> Tensor:
        """Return predictions of some networks, [network, point, output].

        Args:
            phi: Meta-parameters, [meta].
            thetas: Inner parameters, [network, inner].
            x: Inputs, [point, input].
            support: Of one task, or of as many as there are networks.
        """
        problem, count = self.learner.problem, len(thetas)
        with torch.no_grad():
            return problem.meta.predict(
                problem.model,
                thetas,
                phi[: problem.meta_dim].expand(count, -1),
                x.expand(count, -1, -1),
                support.each(lambda part: part.expand(count, *part.shape[1:])),
            )

    def query_losses(self, predicted: Tensor, wanted: Samples) -> Array:
        """Return the outer level's loss of each network, [network]."""
        return self.losses(self.learner.problem.outer_level_loss, predicted, wanted)

    def losses(self, loss: Loss, predicted: Tensor, wanted: Samples) -> Array:
        """Return a loss of each network, [network].

        Args:
            loss: Which one.
            predicted: [network, point, output].
            wanted: Points of one task.
        """
        count = len(predicted)
        each = wanted.each(lambda part: part.expand(count, *part.shape[1:]))
        return to_array(loss(predicted, each))


class HeldOutAdapter(OneTaskMethod):
    """The held-out tasks of an experiment, and its adaptation rule.

    It draws from streams of its own and shares nothing with a run, which it cannot
    disturb therefore.
    """

    def __init__(self, config: ExperimentConfig, *, provider: str) -> None:
        """Draw the tasks anew from the seed: the same as those of every run of it.

        Args:
            config: The experiment.
            provider: Who computes, "fused" or "autodiff"; see `engine.providers`.
        """
        learner = build_learner(config, fused=provider == FUSED)
        super().__init__(learner, DTYPES[config.run.precision])
        self._held_out = held_out_evaluation(config, learner, device=_CPU)

    def adapt(
        self, phi: Array, points: EditedSupport, *, step: int
    ) -> SupportEditResult:
        """Return how a task is adapted to from meta-parameters, with moved points.

        The query set stays the task's own.

        Args:
            phi: Meta-parameters, [meta].
            points: Which task, and its support set.
            step: The outer step that `phi` is from; only passed on.

        Cost: K' gradients of one task, then one prediction of all K' + 1 networks.
        """
        batch = self._batch(points)
        found = self.adapted(
            torch.tensor(phi, dtype=self.dtype),
            batch,
            self._held_out.grid_x[points.task],
            num_inner_steps=self._held_out.num_inner_steps,
            query=batch.query,
        )
        assert found.query_loss is not None, "a held-out task has a query set"
        curves, deviation = found.own(self._held_out.family)
        return SupportEditResult(
            points=points,
            step=step,
            curves=curves,
            support_loss=found.support_loss,
            query_loss=found.query_loss,
            deviation=deviation,
        )

    def _batch(self, points: EditedSupport) -> TaskBatch:
        """Return the task alone, with the moved points for its support set."""
        row = self._held_out.batch.rows(points.task, points.task + 1)
        x = torch.tensor(points.x, dtype=self.dtype)
        family = self._held_out.family
        if family.inputs_lie_on_a_curve:
            inputs = family.observed(row.parameters, family.inputs_at(x)[None])
        else:
            # A plot shows the first coordinate alone: a point keeps its others.
            own = family.own_inputs(row.support.x[:, : len(x)]).clone()
            own[0, :, 0] = x
            inputs = family.observed(row.parameters, own)
        y = torch.tensor(points.y, dtype=self.dtype)[None, :, None]
        support = Samples(x=inputs, y=family.given_targets(y))
        return TaskBatch(parameters=row.parameters, support=support, query=row.query)


class ExplorationError(UserError):
    """A task that a method cannot be shown."""


class TaskAdapter(OneTaskMethod):
    """One method, ready to adapt to tasks that nobody drew from its family.

    It computes on the CPU, draws from streams of its own, and shares nothing with a run.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        *,
        inner_lr: float | None = None,
        fused: bool = False,
    ) -> None:
        """Build the method.

        Args:
            config: The experiment at the outer step of the meta-parameters.
            inner_lr: Another step size, where it is a set number.
            fused: Whether compiled kernels may answer.

        Raises:
            ExplorationError: Inputs of the family are no curve, so that a point of a
                plot does not say what a network is to be given.
        """
        learner = build_learner(config, fused=fused)
        if inner_lr is not None and isinstance(learner.inner, FixedRateDescent):
            learner = replace(
                learner,
                inner=learner.inner.with_rate_factor(_factor(learner, inner_lr)),
            )
        super().__init__(learner, DTYPES[config.run.precision])
        self._family = build_family(config)
        self._num_trained = config.num_inner_steps
        if not self._family.inputs_lie_on_a_curve:
            raise ExplorationError(
                f"tasks.family {self._family.name!r} has {self._family.input_dim} inputs; "
                "a point drawn in a plot has one"
            )

    def adapt(self, start: Start, asked: AdaptRequest) -> AdaptResult:
        """Return how the method adapts from `start` to a task.

        Cost: K' gradients of one task, and K for all other support sets together.

        Raises:
            ExplorationError: The method is told the task's numbers, which nobody knows.
        """
        phi = torch.tensor(start.phi, dtype=self.dtype)
        task = asked.task
        grid = self._inputs(task.grid, task)
        others = self._samples(task.other_x, task.other_y, task)
        found = self.adapted(
            phi,
            self._batch(task),
            grid,
            num_inner_steps=asked.num_inner_steps,
            query=others if len(task.other_x) > 0 and task.truth is None else None,
        )
        moved = found.thetas - found.thetas[:1]
        layers, layer_distance = self._by_layer(moved)
        curves, deviation = found.own(self._family)
        return AdaptResult(
            start=start,
            asked=asked,
            curves=curves,
            support_loss=found.support_loss,
            query_loss=found.query_loss
            if task.truth is None
            else self._true_loss(found.on_grid, task.truth),
            distance=to_array(torch.linalg.vector_norm(moved, dim=1)),
            layer_distance=layer_distance,
            layers=layers,
            fan=self._fan(phi, asked, grid),
            deviation=deviation,
        )

    def _true_loss(self, predicted: Tensor, truth: Array) -> Array:
        """Return the loss against the true curve on the grid, [inner step]."""
        y = self._family.given_targets(torch.tensor(truth, dtype=self.dtype))
        y = y[None, :, None]
        return self.query_losses(predicted, Samples(x=torch.zeros_like(y), y=y))

    def _inputs(self, places: Array, task: CustomTask) -> Tensor:
        """Return what the network is given at places of the x axis, [point, input]."""
        x = self._family.inputs_at(torch.tensor(places, dtype=self.dtype))
        if self._family.tells_the_task and task.parameters is None:
            raise ExplorationError(
                "this method is told the numbers of a task; a curve drawn by hand "
                "has none: choose a held-out task"
            )
        told = task.parameters
        known = torch.zeros(1, 1) if told is None else torch.tensor(told)[None]
        return self._family.observed(known.to(self.dtype), x[None])[0]

    def _batch(self, task: CustomTask) -> TaskBatch:
        support = self._samples(task.x, task.y, task)
        nothing = torch.zeros(1, 1, dtype=self.dtype)
        return TaskBatch(parameters=nothing, support=support, query=support)

    def _samples(self, x: Array, y: Array, task: CustomTask) -> Samples:
        """Return points of a plot as the network is given them, of one task."""
        own = self._family.given_targets(torch.tensor(y, dtype=self.dtype))
        return Samples(x=self._inputs(x, task)[None], y=own[None, :, None])

    def _by_layer(self, moved: Tensor) -> tuple[tuple[int, ...], Array]:
        """Return the adapted layers, and how far each has moved, [inner step, layer]."""
        squares: dict[int, Tensor] = {}
        for block in self.learner.problem.adapted:
            part = block.of(moved).square().sum(dim=1)
            squares[block.layer] = squares.get(block.layer, torch.zeros(())) + part
        layers = sorted(squares)
        distances = torch.stack([squares[layer].sqrt() for layer in layers], dim=1)
        return tuple(layer + 1 for layer in layers), to_array(distances)

    def _fan(self, phi: Tensor, asked: AdaptRequest, grid: Tensor) -> Array:
        """Return the curves after K inner steps on other support sets, [set, point]."""
        task, count = asked.task, asked.num_fan
        if count == 0 or task.truth is None or len(task.x) == 0:
            return np.empty((0, len(task.grid)))
        rng = np.random.default_rng(asked.seed)
        places = rng.uniform(task.grid[0], task.grid[-1], (count, len(task.x)))
        x = torch.stack([self._inputs(row, task) for row in places])
        y = torch.tensor(np.interp(places, task.grid, task.truth), dtype=self.dtype)
        support = Samples(x=x, y=self._family.given_targets(y)[..., None])
        nothing = torch.zeros(count, 1, dtype=self.dtype)
        batch = TaskBatch(parameters=nothing, support=support, query=support)
        path = self.learner.adapt(phi, batch, num_inner_steps=self._num_trained)
        fan = self.predict(phi, path.end, grid, support)[..., 0]
        return to_array(self._family.own_targets(fan))


def _factor(learner: MetaLearner, inner_lr: float) -> float:
    inner = learner.inner
    assert isinstance(inner, FixedRateDescent)
    return inner_lr / inner.inner_lr
