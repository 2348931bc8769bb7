"""Losses over a plane through meta-parameters, and the paths that lie near it."""

import numpy as np
import torch
from torch import Tensor

from metalab.analysis.landscape_axes import (
    LandscapeError,
    explained,
    filter_normalised,
    orthonormal,
    principal_axes,
    square_around,
)
from metalab.analysis.landscape_request import (
    NUM_AVERAGED,
    LandscapeGrid,
    LandscapeRequest,
)
from metalab.core.oracle import InnerOracle
from metalab.core.tasks import TaskBatch
from metalab.engine.build import DTYPES, build_learner
from metalab.engine.events import Array, frozen
from metalab.engine.held_out import held_out_evaluation, to_array
from metalab.experiment.config import ExperimentConfig

_CPU = torch.device("cpu")

_NUMBERS_AT_ONCE = 2**22
"""Parameters of the networks that one call holds: 16 MB in single precision."""


class LandscapeSampler:
    """One method and its held-out tasks, ready to be sliced.

    It computes on the CPU, draws the tasks anew from the seed, and shares nothing with
    a run.
    """

    def __init__(self, config: ExperimentConfig) -> None:
        """Build the method and draw the tasks: the same as those of every run of it.

        Args:
            config: The experiment at the outer step of the meta-parameters.

        Raises:
            LandscapeError: A task adapts fewer than two numbers: there is no plane.
        """
        self._dtype = DTYPES[config.run.precision]
        self._learner = build_learner(config)
        self._batch = held_out_evaluation(config, self._learner, device=_CPU).batch
        self._dim = sum(block.size for block in self._learner.problem.adapted)
        if self._dim < 2:
            raise LandscapeError(
                f"a plane needs two parameters that a task adapts; here there are "
                f"{self._dim}"
            )

    @property
    def num_averaged(self) -> int:
        """Tasks that the loss after adaptation is the mean of."""
        return min(self._batch.num_tasks, NUM_AVERAGED)

    def points_at_once(self, surface: str) -> int:
        """Return how many points `losses` takes at most, so that memory stays small."""
        networks = max(1, _NUMBERS_AT_ONCE // self._dim)
        return max(
            1, networks // self.num_averaged if surface == "adapted" else networks
        )

    # The plane

    def plane(self, asked: LandscapeRequest) -> LandscapeGrid:
        """Return where a slice lies, and what is drawn on it.

        Cost: K' gradients of the tasks that are drawn.

        Raises:
            LandscapeError: The surface or the axes have no meaning here.
        """
        phi = torch.tensor(asked.phi, dtype=self._dtype)
        if asked.surface == "adapted":
            self._refuse_partial_start()
        thetas = self._paths(phi, asked)
        centre = thetas[0, 0]
        inner = thetas - centre
        outer = self._starts(asked.outer) - centre
        u, v = self._axes(phi, asked, centre, inner, outer)
        both = np.stack([u, v], axis=1)
        paths, outer_path = inner @ both, outer @ both
        corner, side = square_around(
            _what_is_seen(asked, centre, paths, outer_path), asked.extent
        )
        return LandscapeGrid(
            centre=frozen(centre),
            u=frozen(u),
            v=frozen(v),
            paths=frozen(paths),
            explained=explained(inner.reshape(-1, self._dim), u, v),
            outer_path=frozen(outer_path),
            outer_explained=sum(explained(outer, u, v)),
            corner=corner,
            side=side,
        )

    def _refuse_partial_start(self) -> None:
        """Refuse where the outer loop learns more than, or not, the tasks' common start.

        Raises:
            LandscapeError: A point of the plane would not be one of the outer loop's.
        """
        problem = self._learner.problem
        if problem.meta_dim != problem.model.dim or self._dim != problem.model.dim:
            raise LandscapeError(
                "the loss after adaptation is drawn where the outer loop learns an "
                f"initialisation of the whole network; {problem.meta.title!r} learns "
                "something else: choose the support or the query loss"
            )

    def _paths(self, phi: Tensor, asked: LandscapeRequest) -> Array:
        """Return theta_0 ... theta_K' of the drawn tasks, [task, inner step, inner]."""
        path = self._learner.adapt(
            phi, self._rows(asked.tasks), num_inner_steps=asked.num_inner_steps
        )
        return _doubles(torch.stack(path.points, dim=1))

    def _axes(
        self,
        phi: Tensor,
        asked: LandscapeRequest,
        centre: Array,
        inner: Array,
        outer: Array,
    ) -> tuple[Array, Array]:
        """Return two orthonormal directions.

        Args:
            phi: Meta-parameters.
            asked: Which axes.
            centre: theta_0, [inner].
            inner: The inner paths, measured from there, [task, inner step, inner].
            outer: The path of the outer loop, measured from there, [state, inner].
        """
        if asked.axes == "paths":
            return principal_axes(inner.reshape(-1, self._dim))
        if asked.axes == "outer":
            return principal_axes(outer)
        if asked.axes == "gradients":
            return orthonormal(*self._gradients(phi, asked.tasks))
        rng = np.random.default_rng(asked.seed)
        blocks = self._learner.problem.adapted
        drawn = rng.standard_normal((2, self._dim))
        return orthonormal(*(filter_normalised(row, centre, blocks) for row in drawn))

    def _gradients(self, phi: Tensor, tasks: tuple[int, ...]) -> Array:
        """Return the support gradients of two tasks at theta_0, [2, inner]."""
        first, *others = tasks
        second = others[0] if others else (first + 1) % self._batch.num_tasks
        oracle = self._learner.oracle(phi, self._rows((first, second)))
        return _doubles(oracle.linearise(oracle.start(), curvature=False).grad)

    def _starts(self, states: Array) -> Array:
        """Return theta_0 of some meta-parameters, [state, inner]."""
        if not len(states):
            return np.empty((0, self._dim))
        problem = self._learner.problem
        stacked = torch.tensor(states, dtype=self._dtype)[:, : problem.meta_dim]
        return _doubles(problem.meta.start(problem.model, stacked))

    # The losses

    def losses(
        self, asked: LandscapeRequest, plane: LandscapeGrid, points: Array
    ) -> Array:
        """Return the loss at some points of a plane, [point].

        Args:
            asked: Which loss.
            plane: Its plane.
            points: Coordinates along u and v, [point, 2]; every one costs a network, or
                as many as there are tasks to average.

        Cost: One prediction a point; after adaptation, K gradients and one prediction
            of every task.
        """
        phi = torch.tensor(asked.phi, dtype=self._dtype)
        moved = np.asarray(points, dtype=np.float64) @ np.stack([plane.u, plane.v])
        if asked.surface == "adapted":
            return self._adapted(phi, torch.tensor(moved, dtype=self._dtype))
        theta = torch.tensor(plane.centre + moved, dtype=self._dtype)
        batch = _repeated(self._rows(asked.tasks[:1]), len(theta))
        oracle = self._learner.oracle(phi, batch)
        return to_array(self._one_task(oracle, asked.surface, theta))

    def _one_task(self, oracle: InnerOracle, surface: str, theta: Tensor) -> Tensor:
        if surface == "support":
            return oracle.support_loss(theta)
        return oracle.query_loss(theta)

    def _adapted(self, phi: Tensor, moved: Tensor) -> Array:
        """Return the mean query loss after K inner steps from moved meta-parameters."""
        tasks = self._batch.rows(0, self.num_averaged)
        delta = moved.new_zeros(len(moved), len(phi))
        delta[:, : self._dim] = moved
        oracle = self._learner.oracle(phi, _repeated(tasks, len(moved))).at_shifted_phi(
            delta.repeat_interleave(tasks.num_tasks, dim=0)
        )
        inner = self._learner.inner
        path = inner.run(oracle, num_steps=inner.num_inner_steps)
        losses = oracle.query_loss(path.end).detach()
        return to_array(losses.view(len(moved), tasks.num_tasks).mean(dim=1))

    def _rows(self, tasks: tuple[int, ...]) -> TaskBatch:
        """Return some held-out tasks as a batch of their own."""
        batch, chosen = self._batch, list(tasks)
        return TaskBatch(
            parameters=batch.parameters[chosen],
            support=batch.support.each(lambda values: values[chosen]),
            query=batch.query.each(lambda values: values[chosen]),
        )


def _what_is_seen(
    asked: LandscapeRequest, centre: Array, paths: Array, outer_path: Array
) -> Array:
    """Return finite points that the square has to hold, [point, 2]."""
    points = [paths.reshape(-1, 2)]
    if asked.surface == "adapted":
        points.append(outer_path)
    if asked.axes == "random":
        # As far as the parameters are from zero: filter normalisation's own unit.
        reach = float(np.linalg.norm(centre))
        points.append(np.array([[-reach, -reach], [reach, reach]]))
    seen = np.concatenate(points)
    return seen[np.isfinite(seen).all(axis=1)]


def _repeated(batch: TaskBatch, times: int) -> TaskBatch:
    """Return a batch, again and again."""
    return TaskBatch(
        parameters=batch.parameters.repeat(times, 1),
        support=batch.support.each(lambda values: _again(values, times)),
        query=batch.query.each(lambda values: _again(values, times)),
    )


def _again(values: Tensor, times: int) -> Tensor:
    return values.repeat(times, *[1] * (values.ndim - 1))


def _doubles(tensor: Tensor) -> Array:
    """Return values in double precision, so that a plane is not limited by a run's."""
    return to_array(tensor).astype(np.float64)
