"""Held-out tasks: drawn once from the seed, looked at without touching training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from metalab.core.learner import MetaLearner
from metalab.core.stability import step_curvature
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, TaskBatch, TaskDistribution, sample_batch
from metalab.engine.build import DTYPES, held_out_family
from metalab.engine.diagnostics import RISING_SHARE, STEP_CURVATURE, UNSTABLE_SHARE
from metalab.engine.events import (
    NUM_GALLERY,
    Array,
    Curves,
    Evaluation,
    HeldOutTasks,
    Points,
    frozen,
)
from metalab.experiment.config import ExperimentConfig

if TYPE_CHECKING:
    from metalab.core.fused.view import FusedView, Look

NUM_GRID_POINTS = 100

NUM_MEASURED = 16
"""Tasks whose curvature is measured: a share is then known to six hundredths, for less
than an evaluation of all of them."""

RISE = 1.05
"""Factor above which a support loss has grown at an inner step."""

NUMBERS_AT_ONCE = 2**24
"""Inner parameters that an evaluation holds at most, or those of one gallery."""


def to_array(tensor: Tensor) -> Array:
    """Return a read-only copy of a tensor's values, on the CPU."""
    return frozen(np.array(tensor.detach().cpu().numpy()))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutEvaluation:
    """The held-out tasks of a run and how to look at them.

    Attributes:
        learner: The run's meta-learner.
        family: What the tasks were drawn from.
        batch: Every held-out task.
        grid_x: Where curves are drawn, one row for each task of the gallery,
            [gallery, point, 1].
        true_curves: Noise-free targets there, [gallery, point]; None where nobody knows
            them.
        num_inner_steps: K', the number of inner steps looked at.
        view: Looks at all of it in one native call; None where there are no kernels.
    """

    learner: MetaLearner
    family: TaskDistribution
    batch: TaskBatch
    grid_x: Tensor
    true_curves: Tensor | None
    num_inner_steps: int
    view: "FusedView | None" = None

    @property
    def num_gallery(self) -> int:
        """Number of tasks whose curves are drawn."""
        return self.grid_x.shape[0]

    def evaluate(self, phi: Tensor, step: int) -> tuple[Evaluation, Curves]:
        """Return the losses of every held-out task, and the gallery's curves."""
        if self.view is not None:
            seen = self.view(phi)
            evaluation = Evaluation(
                step=step,
                support_loss=frozen(seen.support_loss),
                query_loss=frozen(seen.query_loss),
            )
            return evaluation, self._seen(seen, phi, step)
        support, query = losses_along_paths(
            self.learner,
            phi,
            self.batch,
            num_inner_steps=self.num_inner_steps,
            tasks_at_once=self._tasks_at_once,
        )
        evaluation = Evaluation(step=step, support_loss=support, query_loss=query)
        return evaluation, self.curves(phi, step)

    @property
    def _tasks_at_once(self) -> int:
        dim = self.learner.problem.inner_dim
        fitting = NUMBERS_AT_ONCE // (dim * (self.num_inner_steps + 1))
        return max(self.num_gallery, fitting)

    def stability(self, phi: Tensor, evaluation: Evaluation) -> Mapping[str, float]:
        """Return whether the inner steps are short enough; empty without such steps.

        Args:
            phi: Where training stands.
            evaluation: The losses there.
        """
        # A network too large for an evaluation in one slice is measured on fewer tasks.
        count = min(NUM_MEASURED, self.batch.num_tasks, self._tasks_at_once)
        measured = step_curvature(self.learner, phi, self.batch.rows(0, count))
        if measured is None:
            return {}
        losses = evaluation.support_loss[:, : self.learner.inner.num_inner_steps + 1]
        # A loss that only rounding is left of does not grow; one that is NaN does.
        grown = ~(losses[:, 1:] <= RISE * losses[:, :-1] + 1e-6 * losses[:, :1])
        largest = to_array(measured.largest)
        return {
            UNSTABLE_SHARE: float(measured.unstable_share),
            RISING_SHARE: float(grown.any(axis=1).mean()),
            STEP_CURVATURE: float(largest.max()),
        }

    def loss_before_adaptation(self, phi: Tensor) -> float:
        """Return the mean loss of the held-out tasks at the meta-parameters, its size.

        Of the query sets; of two different losses, the larger one.
        """
        oracle, problem = self.learner.oracle(phi, self.batch), self.learner.problem
        start = oracle.start()
        query = abs(float(oracle.query_loss(start).mean()))
        if problem.loss == problem.outer_level_loss:
            return query
        return max(query, abs(float(oracle.support_loss(start).mean())))

    def curves(self, phi: Tensor, step: int) -> Curves:
        """Return the gallery's curves and losses alone: cheap enough for every frame."""
        if self.view is not None:
            return self._seen(self.view(phi, num_tasks=self.num_gallery), phi, step)
        rows = self.batch.rows(0, self.num_gallery)
        points, support_loss, query_loss = _adapted(
            self.learner, phi, rows, self.num_inner_steps
        )
        outputs = self._outputs(phi, points)
        own = self.family.own_targets(outputs[..., 0])
        deviation = predictive_deviation(
            self.learner, phi, self.grid_x, rows.support, outputs
        )
        if deviation is not None:
            deviation = self.family.own_deviation(deviation, own)
        return Curves(
            step=step,
            curves=to_array(own),
            support_loss=support_loss,
            query_loss=query_loss,
            phi=to_array(phi),
            deviation=None if deviation is None else to_array(deviation),
        )

    def _seen(self, seen: "Look", phi: Tensor, step: int) -> Curves:
        shown = slice(0, self.num_gallery)
        return Curves(
            step=step,
            curves=to_array(self.family.own_targets(torch.from_numpy(seen.curves))),
            support_loss=frozen(seen.support_loss[shown].copy()),
            query_loss=frozen(seen.query_loss[shown].copy()),
            phi=to_array(phi),
        )

    def _outputs(self, phi: Tensor, points: Sequence[Tensor]) -> Tensor:
        """Return the networks' outputs on the grid, [gallery, inner step, point, output]."""
        problem = self.learner.problem
        stacked_phi = phi[: problem.meta_dim].expand(self.num_gallery, -1)
        support = self.batch.support.rows(0, self.num_gallery)
        with torch.no_grad():
            curves = [
                problem.meta.predict(
                    problem.model, theta, stacked_phi, self.grid_x, support
                )
                for theta in points
            ]
        return torch.stack(curves, dim=1)

    def describe(self) -> HeldOutTasks:
        """Return the tasks as plain arrays, for plots and for the run file."""
        names = tuple(map(self.family.task_name, self.batch.parameters.cpu()))
        truth, grid = self.true_curves, self.family.own_inputs(self.grid_x[0])
        return HeldOutTasks(
            parameter_names=self.family.parameter_names,
            parameters=to_array(self.batch.parameters),
            support=_points(self.family, self.batch.support),
            query=_points(self.family, self.batch.query),
            grid=to_array(grid[:, 0]),
            true_curves=None if truth is None else to_array(truth),
            names=names if any(names) else (),
            input_name=self.family.input_name,
            target_name=self.family.target_name,
            num_inner_steps=self.learner.inner.num_inner_steps,
        )


def predictive_deviation(
    learner: MetaLearner, phi: Tensor, x: Tensor, support: Samples, outputs: Tensor
) -> Tensor | None:
    """Return the predictive standard deviation, [task, inner step, point], or None.

    That of a parameterisation depends on the inner step only in whether the support set
    has been seen; that of a loss is an output of each network.

    Args:
        learner: How tasks adapt.
        phi: Meta-parameters, [meta].
        x: Where it is wanted, [task, point, input].
        support: Of the same tasks.
        outputs: What the networks return there, [task, inner step, point, output].
    """
    problem = learner.problem
    stacked = phi[: problem.meta_dim].expand(len(x), -1)
    with torch.no_grad():
        before, after = (
            problem.meta.deviation(problem.model, stacked, x, seen)
            for seen in (None, support)
        )
        if before is None or after is None:
            each = outputs.flatten(end_dim=1)
            noise = problem.noise_deviation(each, num_targets=support.y.shape[2])
            return None if noise is None else noise.unflatten(0, outputs.shape[:2])
    later = after[:, None].expand(-1, outputs.shape[1] - 1, -1)
    return torch.cat([before[:, None], later], dim=1)


def losses_along_paths(
    learner: MetaLearner,
    phi: Tensor,
    batch: TaskBatch,
    *,
    num_inner_steps: int,
    tasks_at_once: int,
) -> tuple[Array, Array]:
    """Return support and query loss after 0 ... K' inner steps, each [task, inner step].

    Args:
        learner: How tasks adapt.
        phi: Meta-parameters, [meta].
        batch: The tasks.
        num_inner_steps: K'.
        tasks_at_once: Tasks whose theta_0 ... theta_K' are held at the same time.
    """
    # In slices: each holds theta_0 ... theta_K' of its tasks, and then lets go.
    slices = [
        _adapted(
            learner, phi, batch.rows(start, start + tasks_at_once), num_inner_steps
        )[1:]
        for start in range(0, batch.num_tasks, tasks_at_once)
    ]
    support, query = (np.concatenate(part) for part in zip(*slices, strict=True))
    return frozen(support), frozen(query)


def _adapted(
    learner: MetaLearner, phi: Tensor, batch: TaskBatch, num_inner_steps: int
) -> tuple[Sequence[Tensor], Array, Array]:
    """Return theta_k, support and query loss after each inner step k."""
    path = learner.adapt(phi, batch, num_inner_steps=num_inner_steps)
    oracle = learner.oracle(phi, batch)
    support = [oracle.support_loss(theta) for theta in path.points]
    query = [oracle.query_loss(theta) for theta in path.points]
    return (
        path.points,
        to_array(torch.stack(support, dim=1)),
        to_array(torch.stack(query, dim=1)),
    )


def _points(family: TaskDistribution, samples: Samples) -> Points:
    """Return points in their own units; NaN where a task has fewer."""
    x, y = family.own_inputs(samples.x), family.own_targets(samples.y)
    if samples.mask is not None:
        nothing = samples.mask[..., None] == 0
        x, y = (values.masked_fill(nothing, torch.nan) for values in (x, y))
    return Points(x=to_array(x), y=to_array(y))


def held_out_evaluation(
    config: ExperimentConfig,
    learner: MetaLearner,
    *,
    device: torch.device,
) -> HeldOutEvaluation:
    """Draw the held-out tasks of an experiment from their own stream.

    The tasks depend on the seed, the family and the counts, not on the method, so that
    two methods are compared on the same tasks.

    Args:
        config: The experiment.
        learner: Its meta-learner.
        device: Where the tasks are looked at.
    """
    dtype, evaluation = DTYPES[config.run.precision], config.evaluation
    streams = RandomStreams(config.run.seed)
    family = held_out_family(config)
    batch = sample_batch(
        family,
        evaluation.num_tasks,
        num_shots=config.eval_shots,
        num_queries=evaluation.num_queries,
        generator=streams.generator("held-out tasks"),
        dtype=dtype,
        query=config.held_out_query,
    )
    return looked_at(
        learner,
        family,
        batch,
        device=device,
        num_curves=NUM_GALLERY,
        num_inner_steps=config.num_shown_steps,
    )


def looked_at(
    learner: MetaLearner,
    family: TaskDistribution,
    batch: TaskBatch,
    *,
    device: torch.device,
    num_curves: int,
    num_inner_steps: int,
) -> HeldOutEvaluation:
    """Return some tasks with the grid that their curves are drawn on.

    Args:
        learner: How they adapt.
        family: What they were drawn from.
        batch: The tasks.
        device: Where they are looked at.
        num_curves: Tasks whose curves are drawn, at most: the first ones.
        num_inner_steps: K'.
    """
    low, high = family.input_range
    dtype, count = batch.support.x.dtype, min(num_curves, batch.num_tasks)
    grid = torch.linspace(low, high, NUM_GRID_POINTS, dtype=dtype)
    x = family.inputs_at(grid).expand(count, -1, -1)
    shown = batch.parameters[:count]
    truth = family.true_targets(shown, x)
    batch, grid_x = batch.to(device), family.observed(shown, x).to(device)
    return HeldOutEvaluation(
        learner=learner,
        family=family,
        batch=batch,
        grid_x=grid_x,
        true_curves=None if truth is None else truth[..., 0],
        num_inner_steps=num_inner_steps,
        view=_view(learner, batch, grid_x, num_inner_steps),
    )


def _view(
    learner: MetaLearner, batch: TaskBatch, grid_x: Tensor, num_steps: int
) -> "FusedView | None":
    if not learner.fused:
        return None
    # Imported lazily so that numba stays optional.
    from metalab.core.fused.view import FusedView, can_view  # noqa: PLC0415

    if not can_view(learner, batch, num_steps):
        return None
    return FusedView(learner, batch, grid_x, num_steps=num_steps)
