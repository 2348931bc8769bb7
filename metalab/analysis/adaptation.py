"""Adapting one held-out task to a support set that a person has chosen."""

from dataclasses import replace

import torch
from torch import Tensor

from metalab.analysis.moved import MovedPoints, Readaptation
from metalab.core.loss import mean_squared_error
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.build import DTYPES, build_family, build_learner
from metalab.engine.events import Array
from metalab.engine.probe import make_probe, to_array
from metalab.engine.providers import FUSED
from metalab.experiment.config import ExperimentConfig

_CPU = torch.device("cpu")
"""Wherever the run computes: one task is too small to gain from another device, and
must not synchronise with it."""


class TaskAdapter:
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
        self._dtype = DTYPES[config.run.precision]
        self._family = build_family(config)
        self._learner = replace(build_learner(config), fused=provider == FUSED)
        self._probe = make_probe(
            config,
            self._learner,
            self._family,
            RandomStreams(config.run.seed),
            device=_CPU,
        )

    def adapt(self, phi: Array, points: MovedPoints, *, step: int) -> Readaptation:
        """Return how a task is adapted to from meta-parameters, with moved points.

        The query set stays the task's own.

        Args:
            phi: Meta-parameters, [meta].
            points: Which task, and its support set.
            step: The outer step that `phi` is from; only passed on.

        Cost: K' gradients of one task, then one prediction of all K' + 1 networks.
        """
        flat = torch.tensor(phi, dtype=self._dtype)
        batch = self._batch(points)
        path = self._learner.adapt(
            flat, batch, num_inner_steps=self._probe.num_inner_steps
        )
        grid = self._probe.grid_x[points.task]
        parts = (grid, batch.support.x[0], batch.query.x[0])
        predicted = self._predict(
            flat, torch.cat(path.points), torch.cat(parts), batch.support
        )
        sizes = [len(part) for part in parts]
        on_grid, on_support, on_query = predicted.split(sizes, dim=1)
        return Readaptation(
            points=points,
            step=step,
            curves=to_array(on_grid[..., 0]),
            support_loss=to_array(_losses(on_support, batch.support)),
            query_loss=to_array(_losses(on_query, batch.query)),
            deviation=self._deviation(flat, grid, batch.support),
        )

    def _batch(self, points: MovedPoints) -> TaskBatch:
        """Return the task alone, with the moved points for its support set."""
        row = self._probe.batch.rows(points.task, points.task + 1)
        x = torch.tensor(points.x, dtype=self._dtype)
        if self._family.inputs_lie_on_a_curve:
            inputs = self._family.observed(
                row.parameters, self._family.inputs_at(x)[None]
            )
        else:
            # A plot shows the first coordinate alone: a point keeps its others.
            inputs = row.support.x.clone()
            inputs[0, :, 0] = x
        y = torch.tensor(points.y, dtype=self._dtype)[None, :, None]
        support = Samples(x=inputs, y=y)
        return TaskBatch(parameters=row.parameters, support=support, query=row.query)

    def _predict(
        self, phi: Tensor, thetas: Tensor, x: Tensor, support: Samples
    ) -> Tensor:
        """Return predictions after each inner step, [inner step, point, output]."""
        problem = self._learner.problem
        count = len(thetas)
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

    def _deviation(self, phi: Tensor, grid: Tensor, support: Samples) -> Array | None:
        """Return the predictive deviation, [inner step, point], or None.

        It depends on the inner step only in whether the support set has been seen.
        """
        problem = self._learner.problem
        own = phi[None, : problem.meta_dim]
        with torch.no_grad():
            before, after = (
                problem.meta.deviation(problem.model, own, grid[None], seen)
                for seen in (None, support)
            )
        if before is None or after is None:
            return None
        later = after.expand(self._probe.num_inner_steps, -1)
        return to_array(torch.cat([before, later]))


def _losses(predicted: Tensor, samples: Samples) -> Tensor:
    """Return the mean squared error after each inner step, [inner step]."""
    return mean_squared_error(predicted, samples.y.expand(len(predicted), -1, -1))
