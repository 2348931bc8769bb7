"""Adapting to a task of a person's own, from any meta-parameters."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from metalab.analysis.exploration_request import Exploration, Explored, OwnTask, Start
from metalab.core.errors import UserError
from metalab.core.inner.descent import FixedRateDescent
from metalab.core.learner import MetaLearner
from metalab.core.loss import mean_squared_error
from metalab.core.tasks import Samples, TaskBatch, TaskFamily
from metalab.engine.build import DTYPES, build_family, build_learner
from metalab.engine.events import Array
from metalab.engine.probe import to_array
from metalab.experiment.config import ExperimentConfig


class ExplorationError(UserError):
    """A task that a method cannot be shown."""


class Explorer:
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
        learner = build_learner(config)
        if inner_lr is not None and isinstance(learner.inner, FixedRateDescent):
            learner = replace(
                learner,
                inner=learner.inner.with_rate_factor(_factor(learner, inner_lr)),
            )
        self._learner = replace(learner, fused=fused)
        self._family = build_family(config)
        self._dtype = DTYPES[config.run.precision]
        self._num_trained = config.num_inner_steps
        if not self._family.inputs_lie_on_a_curve:
            raise ExplorationError(
                f"tasks.family {self._family.name!r} has {self._family.input_dim} inputs; "
                "a point drawn in a plot has one"
            )

    def explore(self, start: Start, asked: Exploration) -> Explored:
        """Return how the method adapts from `start` to a task.

        Cost: K' gradients of one task, and K for all other support sets together.

        Raises:
            ExplorationError: The method is told the task's numbers, which nobody knows.
        """
        phi = torch.tensor(start.phi, dtype=self._dtype)
        batch = self._batch(asked.task)
        path = self._learner.adapt(phi, batch, num_inner_steps=asked.num_inner_steps)
        thetas = torch.cat(path.points)
        grid = self._inputs(asked.task.grid, asked.task)
        count = len(grid)
        both = torch.cat([grid, batch.support.x[0]])
        predicted = self._predict(phi, thetas, both, batch.support)
        truth = asked.task.truth
        moved = thetas - thetas[:1]
        layers, layer_distance = self._by_layer(moved)
        return Explored(
            start=start,
            asked=asked,
            curves=to_array(predicted[:, :count, 0]),
            support_loss=_losses(predicted[:, count:, 0], asked.task.y),
            query_loss=None
            if truth is None
            else _losses(predicted[:, :count, 0], truth),
            distance=to_array(torch.linalg.vector_norm(moved, dim=1)),
            layer_distance=layer_distance,
            layers=layers,
            fan=self._fan(phi, asked, grid),
            deviation=self._deviation(phi, grid, batch.support, len(thetas)),
        )

    def _inputs(self, places: Array, task: OwnTask) -> Tensor:
        """Return what the network is given at places of the x axis, [point, input]."""
        x = self._family.inputs_at(torch.tensor(places, dtype=self._dtype))
        if self._is_told():
            if task.parameters is None:
                raise ExplorationError(
                    "this method is told the numbers of a task; a curve drawn by hand "
                    "has none: choose a held-out task"
                )
            known = torch.tensor(task.parameters, dtype=self._dtype)
            return self._family.observed(known[None], x[None])[0]
        return x

    def _is_told(self) -> bool:
        """Return whether a family gives its networks more than the inputs."""
        return type(self._family).observed is not TaskFamily.observed

    def _batch(self, task: OwnTask) -> TaskBatch:
        x = self._inputs(task.x, task)
        y = torch.tensor(task.y, dtype=self._dtype)[None, :, None]
        support = Samples(x=x[None], y=y)
        nothing = torch.zeros(1, 1, dtype=self._dtype)
        return TaskBatch(parameters=nothing, support=support, query=support)

    def _predict(
        self, phi: Tensor, thetas: Tensor, x: Tensor, support: Samples
    ) -> Tensor:
        """Return predictions of some networks, [network, point, output].

        Args:
            phi: Meta-parameters.
            thetas: Inner parameters, [network, inner].
            x: Inputs, [point, input].
            support: Of one task, or of as many as there are networks.
        """
        problem, count = self._learner.problem, len(thetas)
        with torch.no_grad():
            return problem.meta.predict(
                problem.model,
                thetas,
                phi[: problem.meta_dim].expand(count, -1),
                x.expand(count, -1, -1),
                Samples(
                    x=support.x.expand(count, -1, -1), y=support.y.expand(count, -1, -1)
                ),
            )

    def _by_layer(self, moved: Tensor) -> tuple[tuple[int, ...], Array]:
        """Return the adapted layers, and how far each has moved, [inner step, layer]."""
        squares: dict[int, Tensor] = {}
        for block in self._learner.problem.adapted:
            part = moved[:, block.start : block.start + block.size].square().sum(dim=1)
            squares[block.layer] = squares.get(block.layer, torch.zeros(())) + part
        layers = sorted(squares)
        distances = torch.stack([squares[layer].sqrt() for layer in layers], dim=1)
        return tuple(layer + 1 for layer in layers), to_array(distances)

    def _fan(self, phi: Tensor, asked: Exploration, grid: Tensor) -> Array:
        """Return the curves after K inner steps on other support sets, [set, point]."""
        task, count = asked.task, asked.num_fan
        if count == 0 or task.truth is None or len(task.x) == 0:
            return np.empty((0, len(task.grid)))
        rng = np.random.default_rng(asked.seed)
        places = rng.uniform(task.grid[0], task.grid[-1], (count, len(task.x)))
        x = torch.stack([self._inputs(row, task) for row in places])
        y = torch.tensor(np.interp(places, task.grid, task.truth), dtype=self._dtype)
        support = Samples(x=x, y=y[..., None])
        nothing = torch.zeros(count, 1, dtype=self._dtype)
        batch = TaskBatch(parameters=nothing, support=support, query=support)
        path = self._learner.adapt(phi, batch, num_inner_steps=self._num_trained)
        return to_array(self._predict(phi, path.end, grid, support)[..., 0])

    def _deviation(
        self, phi: Tensor, grid: Tensor, support: Samples, count: int
    ) -> Array | None:
        """Return the predictive deviation, [inner step, point], or None."""
        problem = self._learner.problem
        own = phi[None, : problem.meta_dim]
        with torch.no_grad():
            before, after = (
                problem.meta.deviation(problem.model, own, grid[None], seen)
                for seen in (None, support)
            )
        if before is None or after is None:
            return None
        return to_array(torch.cat([before, after.expand(count - 1, -1)]))


def _factor(learner: MetaLearner, inner_lr: float) -> float:
    inner = learner.inner
    assert isinstance(inner, FixedRateDescent)
    return inner_lr / inner.inner_lr


def _losses(predicted: Tensor, target: Array) -> Array:
    """Return mean squared errors of some networks, [network]."""
    wanted = torch.tensor(target, dtype=predicted.dtype)[None, :, None]
    return to_array(
        mean_squared_error(predicted[..., None], wanted.expand(len(predicted), -1, -1))
    )
