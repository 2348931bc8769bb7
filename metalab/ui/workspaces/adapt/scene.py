"""The task on the Adapt canvas: its points, and the curve behind them. No Qt."""

from dataclasses import dataclass, field, replace
from math import pi
from typing import Any

import numpy as np

from metalab.analysis.adapt_request import CustomTask, reach
from metalab.core.written_points import WrittenPoints, range_words
from metalab.engine.events import Array, HeldOutTasks, frozen

UNKNOWN = "unknown"
"""Of a true curve that nobody knows: points were written by hand."""

KINDS = ("held-out", "sine", "line", "square", "drawn", UNKNOWN)
"""What the true curve is."""

AMPLITUDE = (0.0, 20.0)
_BY_HAND = {"own": False, "by_hand": True}
_NONE: Array = frozen(np.empty(0))
_NO_OBSERVATIONS: dict[str, Any] = {
    "other_x": _NONE,
    "other_y": _NONE,
    "observed": (),
}
NUM_POINTS = 10
"""Drawn for a task that begins without points."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A task of a person's own. Immutable: an edit makes another.

    Attributes:
        kind: One of `KINDS`.
        task: The held-out task that the scene began with, counted from 0.
        x: Support points, [shot].
        y: Their targets, [shot].
        amplitude: Of a sine or a square wave; of a line, its value at the right end.
        phase: Of a sine or a square wave, in radians; of a line, its value at the left
            end.
        drawn: A curve on the grid, [point]: the held-out task's own, or one drawn by hand;
            None for a held-out task whose true curve nobody knows.
        own: Whether nobody has changed anything.
        by_hand: Whether a person has placed points, or the curve.
        grid: Where curves are drawn, ascending, [point]; None for where those of the
            held-out tasks are.
        note: How pasted points were understood; "" for others.
        name: What the held-out task is called.
        other_x: Observations of the task that are not in the support set, [point].
        other_y: What was observed there, [point].
        observed: Which support points are observations of the task, where it was observed,
            [shot]; () where a true curve is known.
    """

    kind: str
    task: int
    x: Array
    y: Array
    amplitude: float
    phase: float
    drawn: Array | None
    own: bool = False
    by_hand: bool = False
    grid: Array | None = None
    note: str = ""
    name: str = ""
    other_x: Array = field(default_factory=lambda: _NONE)
    other_y: Array = field(default_factory=lambda: _NONE)
    observed: tuple[bool, ...] = ()

    @classmethod
    def of_task(cls, tasks: HeldOutTasks, task: int) -> "Scene":
        """Return a held-out task as it is."""
        amplitude, phase = _sine_of(tasks, task)
        x, y = tasks.support.plotted(task)
        truth = tasks.true_curve(task)
        # Where nobody knows a curve, observations are all there is of a task.
        finite = truth is None
        other_x, other_y = tasks.other_observations(task)
        return cls(
            kind="held-out",
            task=task,
            x=x,
            y=y,
            amplitude=amplitude,
            phase=phase,
            drawn=truth,
            own=True,
            name=tasks.phrase(task),
            other_x=other_x,
            other_y=other_y,
            observed=(True,) * len(x) if finite else (),
        )

    def over(self, grid: Array) -> Array:
        """Return where curves are drawn; `grid` is where those of held-out tasks are."""
        return grid if self.grid is None else self.grid

    @property
    def has_truth(self) -> bool:
        """Whether somebody knows the true curve."""
        if self.kind in ("held-out", "drawn"):
            return self.drawn is not None
        return self.kind != UNKNOWN

    def known_truth(self, grid: Array) -> Array | None:
        """Return the true curve on a grid, [point]; None where nobody knows one."""
        return self.truth(grid) if self.has_truth else None

    def truth(self, grid: Array) -> Array:
        """Return the true curve on the grid of the scene, [point].

        Where nobody knows one, it is what goes straight from point to point.
        """
        if not self.has_truth:
            if len(self.x) == 0:
                return np.zeros_like(grid)
            order = np.argsort(self.x, kind="stable")
            return np.interp(grid, self.x[order], self.y[order])
        if self.kind == "sine":
            return self.amplitude * np.sin(grid - self.phase)
        if self.kind == "square":
            return self.amplitude * np.sign(np.sin(grid - self.phase))
        if self.kind == "line":
            share = (grid - grid[0]) / (grid[-1] - grid[0])
            return self.phase + share * (self.amplitude - self.phase)
        assert self.drawn is not None, "has_truth says so"
        return self.drawn

    def as_task(self, tasks: HeldOutTasks) -> CustomTask:
        """Return what a network adapts to."""
        known = self.kind == "held-out"
        grid = self.over(tasks.grid)
        return CustomTask(
            x=self.x,
            y=self.y,
            grid=grid,
            truth=self.known_truth(grid),
            parameters=tasks.parameters[self.task] if known else None,
            other_x=self.other_x,
            other_y=self.other_y,
        )

    # Edits

    def with_point(self, shot: int, x: float, y: float) -> "Scene":
        """Return the scene with a point elsewhere."""
        return replace(
            self,
            x=_with(self.x, shot, x),
            y=_with(self.y, shot, y),
            observed=tuple(
                known and index != shot for index, known in enumerate(self.observed)
            ),
            **_BY_HAND,
        )

    def with_new_point(self, x: float, y: float) -> "Scene":
        """Return the scene with one point more, the last."""
        return replace(
            self,
            x=frozen(np.append(self.x, x)),
            y=frozen(np.append(self.y, y)),
            observed=(*self.observed, False) if self.observed else (),
            **_BY_HAND,
        )

    def without_point(self, shot: int) -> "Scene":
        """Return the scene with one point fewer; the last one stays.

        An observation of the task is then one of its others.
        """
        if len(self.x) == 1:
            return self
        fewer = replace(
            self,
            x=frozen(np.delete(self.x, shot)),
            y=frozen(np.delete(self.y, shot)),
            observed=self.observed[:shot] + self.observed[shot + 1 :],
            **_BY_HAND,
        )
        if not self.is_observation(shot):
            return fewer
        return replace(
            fewer,
            other_x=frozen(np.append(self.other_x, self.x[shot])),
            other_y=frozen(np.append(self.other_y, self.y[shot])),
        )

    def is_observation(self, shot: int) -> bool:
        """Return whether a support point is where the task was observed."""
        return shot < len(self.observed) and self.observed[shot]

    def with_observation(self, index: int) -> "Scene":
        """Return the scene with one of the task's other observations among its points."""
        return replace(
            self,
            x=frozen(np.append(self.x, self.other_x[index])),
            y=frozen(np.append(self.y, self.other_y[index])),
            other_x=frozen(np.delete(self.other_x, index)),
            other_y=frozen(np.delete(self.other_y, index)),
            observed=(*self.observed, True),
            **_BY_HAND,
        )

    def with_kind(self, kind: str, grid: Array) -> "Scene":
        """Return the scene with another kind of curve, on which its points then lie."""
        amplitude, phase = self.amplitude, self.phase
        if kind == "line" or self.kind == "line":
            amplitude, phase = (2.0, -2.0) if kind == "line" else (2.0, 0.0)
        drawn = self.truth(grid)
        other = replace(
            self,
            kind=kind,
            amplitude=amplitude,
            phase=phase,
            drawn=drawn,
            own=False,
            **_NO_OBSERVATIONS,
        )
        return other.on_truth(grid) if other.has_truth else other

    def with_curve(self, amplitude: float, phase: float, grid: Array) -> "Scene":
        """Return the scene with another curve; each point keeps its distance to it."""
        before = self.truth(grid)
        held = min(max(amplitude, AMPLITUDE[0]), AMPLITUDE[1])
        if self.kind == "line":
            held = amplitude
        after = replace(self, amplitude=held, phase=phase, **_BY_HAND)
        moved = _at(self.x, grid, after.truth(grid)) - _at(self.x, grid, before)
        return replace(after, y=frozen(self.y + moved))

    def with_drawing(self, x: Array, y: Array, grid: Array) -> "Scene":
        """Return the scene with a curve drawn by hand, through points in any order.

        Beyond the first and the last of them the curve goes on level.
        """
        order = np.argsort(x, kind="stable")
        drawn = np.interp(grid, x[order], y[order])
        made = replace(self, kind="drawn", drawn=frozen(drawn), **_NO_OBSERVATIONS)
        return replace(made.on_truth(grid), **_BY_HAND)

    def with_points(self, x: Array, y: Array) -> "Scene":
        """Return the scene with another support set."""
        own = {"x": frozen(x.copy()), "y": frozen(y.copy())}
        return replace(
            self, **own, own=False, by_hand=False, note="", **_NO_OBSERVATIONS
        )

    def emptied(self) -> "Scene":
        """Return a task of nobody's, without points and without a true curve."""
        return replace(self.with_points(_NONE, _NONE), kind=UNKNOWN, grid=None)

    def with_written(self, written: WrittenPoints, grid: Array) -> "Scene":
        """Return the scene with points that a person has brought, and no true curve.

        Curves are drawn as far as the points go.

        Args:
            written: The points.
            grid: Where curves of the held-out tasks are drawn.

        Raises:
            ValueError: A point lies too far away to be drawn beside these.
        """
        x, y = (np.array(part) for part in zip(*written.points, strict=True))
        reached = reach(grid, x)
        words = f"{written.words}; {range_words(written.points)}"
        if reached is not grid:
            words += f", beyond the tasks' {grid[0]:.4g} to {grid[-1]:.4g}"
        return replace(
            self.with_points(x, y),
            kind=UNKNOWN,
            by_hand=True,
            grid=None if reached is grid else reached,
            note=words,
        )

    def resampled(self, grid: Array, rng: np.random.Generator) -> "Scene":
        """Return the scene with as many other points on the true curve.

        Of a task that was observed, other observations of it, none of them twice.
        """
        if self.observed:
            return self._with_other_observations(rng)
        x = rng.uniform(grid[0], grid[-1], len(self.x))
        return self.with_points(x, _at(x, grid, self.truth(grid)))

    def _with_other_observations(self, rng: np.random.Generator) -> "Scene":
        known = np.array(self.observed)
        x = np.concatenate([self.x[known], self.other_x])
        y = np.concatenate([self.y[known], self.other_y])
        order = rng.permutation(len(x))
        inside = order[: min(len(self.x), max(len(x) - 1, 1))]
        outside = order[len(inside) :]
        return replace(
            self,
            x=frozen(x[inside]),
            y=frozen(y[inside]),
            other_x=frozen(x[outside]),
            other_y=frozen(y[outside]),
            observed=(True,) * len(inside),
            own=False,
            by_hand=False,
        )

    def on_truth(self, grid: Array) -> "Scene":
        """Return the scene with its points on the curve."""
        y = frozen(_at(self.x, grid, self.truth(grid)))
        return replace(self, y=y, by_hand=False)

    # The handle of the curve

    def handle(self, grid: Array) -> tuple[float, float] | None:
        """Return where the curve can be taken hold of; None if it cannot."""
        if self.kind in ("sine", "square"):
            crest = self.phase + pi / 2
            inside = crest - 2 * pi * np.floor((crest - grid[0]) / (2 * pi))
            return float(inside), self.amplitude
        if self.kind == "line":
            return float(grid[-1]), self.amplitude
        return None

    def with_handle(self, x: float, y: float, grid: Array) -> "Scene":
        """Return the scene with the handle elsewhere."""
        if self.kind == "line":
            # The right end follows; moved to the left half, the left end does.
            if x < (grid[0] + grid[-1]) / 2:
                return self.with_curve(self.amplitude, y, grid)
            return self.with_curve(y, self.phase, grid)
        return self.with_curve(abs(y), (x - pi / 2) % (2 * pi), grid)


def _sine_of(tasks: HeldOutTasks, task: int) -> tuple[float, float]:
    """Return amplitude and phase of a held-out task, or of a sine that could be one."""
    values = dict(zip(tasks.parameter_names, tasks.parameters[task], strict=True))
    return float(values.get("amplitude", 2.0)), float(values.get("phase", 0.0))


def _at(x: Array, grid: Array, values: Array) -> Array:
    return np.interp(x, grid, values)


def _with(values: Array, index: int, value: float) -> Array:
    changed = np.array(values, dtype=float)
    changed[index] = value
    return frozen(changed)
