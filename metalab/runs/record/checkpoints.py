"""The training states that a run has left behind, within a budget of memory.

Beside a state may lie the curves of the gallery there, so that going back to it shows
them in the very frame: computing them takes a thread, which would wait for the run's.
"""

from collections.abc import Sequence

import numpy as np

from metalab.engine.events import Array, Checkpoint, Curves, frozen

BUDGET_BYTES = 96 * 2**20
"""A network of two layers of 40 units takes 21 KB a state: 4,700 of them fit."""

CURVES_BYTES = 64 * 2**20
"""Sixteen tasks after 0 ... 10 inner steps take 80 KB: 800 of them fit."""


class CheckpointHistory:
    """An immutable view of training states, ascending by outer step.

    Attributes:
        steps: Outer step of each, [state].
    """

    __slots__ = ("_curves", "_states", "steps")

    def __init__(
        self,
        states: Sequence[Checkpoint],
        steps: Array,
        curves: Sequence[Curves | None] = (),
    ) -> None:
        """Wrap states; of a longer list, those that have a step.

        Args:
            states: Training states.
            steps: Their outer steps.
            curves: How the gallery's tasks adapt from each, where that is kept.
        """
        self._states = states
        self._curves = curves
        self.steps = steps

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.steps)

    def at_or_before(self, step: int) -> Checkpoint | None:
        """Return the last state up to an outer step; None if there is none."""
        index = int(np.searchsorted(self.steps, step, side="right")) - 1
        return self._states[index] if index >= 0 else None

    def nearest(self, step: int) -> Checkpoint | None:
        """Return the state nearest to an outer step, the earlier of two."""
        index = _nearest(self.steps, step)
        return None if index is None else self._states[index]

    def nearest_drawn(self, step: int) -> tuple[Checkpoint, Curves] | None:
        """Return the nearest state whose curves are kept, with them."""
        shown = self._curves[: len(self.steps)]
        drawn = np.flatnonzero([kept is not None for kept in shown])
        place = _nearest(self.steps[drawn], step)
        if place is None:
            return None
        index = int(drawn[place])
        curves = self._curves[index]
        assert curves is not None, "only states with curves are looked at"
        return self._states[index], curves

    def states(self) -> list[Checkpoint]:
        """Return every state."""
        return [self._states[index] for index in range(len(self.steps))]


def _nearest(steps: Array, step: int) -> int | None:
    """Return the index of the nearest of ascending steps, the earlier of two."""
    if len(steps) == 0:
        return None
    after = int(np.searchsorted(steps, step, side="right"))
    if after == 0:
        return 0
    if after < len(steps) and steps[after] - step < step - steps[after - 1]:
        return after
    return after - 1


def no_trail() -> CheckpointHistory:
    """Return the view of a run that has left nothing behind."""
    return CheckpointHistory((), frozen(np.empty(0)))


class GrowingTrail:
    """States that are added at the end; beyond the budget every second one goes."""

    def __init__(self) -> None:
        """Begin without states."""
        self._states: list[Checkpoint] = []
        self._curves: list[Curves | None] = []
        self._view: CheckpointHistory | None = None
        self._size = self._curves_size = 0

    def append(self, state: Checkpoint, curves: Curves | None = None) -> None:
        """Add a state; it replaces those of its step and of later ones.

        Args:
            state: The state.
            curves: How the gallery's tasks adapt from it, to be kept too.
        """
        self.truncate_after(state.step - 1)
        self._states.append(state)
        self._curves.append(curves)
        self._size += size_of(state)
        self._curves_size += size_of_curves(curves)
        self._view = None
        # The first and the newest stay: one is compared with, one goes on.
        if self._size > BUDGET_BYTES:
            self._keep(_every_second(range(len(self._states))))
        if self._curves_size > CURVES_BYTES:
            drawn = [i for i, kept in enumerate(self._curves) if kept is not None]
            stay = set(_every_second(drawn))
            self._curves = [
                kept if i in stay else None for i, kept in enumerate(self._curves)
            ]
            self._curves_size = sum(map(size_of_curves, self._curves))

    def truncate_after(self, step: int) -> None:
        """Forget what came after an outer step."""
        if self._states and self._states[-1].step > step:
            self._keep([i for i, kept in enumerate(self._states) if kept.step <= step])

    def _keep(self, indices: Sequence[int]) -> None:
        self._states = [self._states[i] for i in indices]
        self._curves = [self._curves[i] for i in indices]
        self._size = sum(map(size_of, self._states))
        self._curves_size = sum(map(size_of_curves, self._curves))
        self._view = None

    def view(self) -> CheckpointHistory:
        """Return the states there are now; cheap while none is added."""
        if self._view is None:
            steps = np.array([state.step for state in self._states], dtype=float)
            # The lists only grow behind what the view can see, or are replaced.
            self._view = CheckpointHistory(self._states, frozen(steps), self._curves)
        return self._view


def _every_second(indices: Sequence[int]) -> list[int]:
    """Return every second index, and the last."""
    kept = list(indices[::2])
    return kept if kept[-1] == indices[-1] else [*kept, indices[-1]]


def size_of(state: Checkpoint) -> int:
    """Return how many bytes a state takes."""
    return state.phi.nbytes + sum(slot.nbytes for slot in state.slots)


def size_of_curves(curves: Curves | None) -> int:
    """Return how many bytes curves take."""
    if curves is None:
        return 0
    arrays = (curves.curves, curves.support_loss, curves.query_loss, curves.deviation)
    return sum(array.nbytes for array in arrays if array is not None)
