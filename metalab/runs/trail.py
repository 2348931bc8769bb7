"""The training states that a run has left behind, within a budget of memory."""

from collections.abc import Sequence

import numpy as np

from metalab.engine.events import Array, Checkpoint, frozen

BUDGET_BYTES = 96 * 2**20
"""A network of two layers of 40 units takes 21 KB a state: 4,700 of them fit."""


class Trail:
    """An immutable view of training states, ascending by outer step.

    Attributes:
        steps: Outer step of each, [state].
    """

    __slots__ = ("_states", "steps")

    def __init__(self, states: Sequence[Checkpoint], steps: Array) -> None:
        """Wrap states; of a longer list, those that have a step."""
        self._states = states
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
        before = self.at_or_before(step)
        index = int(np.searchsorted(self.steps, step, side="right"))
        if index >= len(self.steps):
            return before
        after = self._states[index]
        if before is None or after.step - step < step - before.step:
            return after
        return before

    def states(self) -> list[Checkpoint]:
        """Return every state."""
        return [self._states[index] for index in range(len(self.steps))]


def no_trail() -> Trail:
    """Return the view of a run that has left nothing behind."""
    return Trail((), frozen(np.empty(0)))


class GrowingTrail:
    """States that are added at the end; beyond the budget every second one goes."""

    def __init__(self) -> None:
        """Begin without states."""
        self._states: list[Checkpoint] = []
        self._view: Trail | None = None
        self._size = 0

    def append(self, state: Checkpoint) -> None:
        """Add a state; it replaces those of its step and of later ones."""
        self.truncate_after(state.step - 1)
        self._states.append(state)
        self._size += size_of(state)
        self._view = None
        if self._size > BUDGET_BYTES:
            # The first and the newest stay: one is compared with, one goes on.
            last = self._states[-1]
            kept = self._states[::2]
            self._replace(kept if kept[-1] is last else [*kept, last])

    def truncate_after(self, step: int) -> None:
        """Forget what came after an outer step."""
        if self._states and self._states[-1].step > step:
            self._replace([state for state in self._states if state.step <= step])

    def _replace(self, states: list[Checkpoint]) -> None:
        self._states = states
        self._size = sum(map(size_of, states))
        self._view = None

    def view(self) -> Trail:
        """Return the states there are now; cheap while none is added."""
        if self._view is None:
            steps = np.array([state.step for state in self._states], dtype=float)
            # The list only grows behind what the view can see, or is replaced.
            self._view = Trail(self._states, frozen(steps))
        return self._view


def size_of(state: Checkpoint) -> int:
    """Return how many bytes a state takes."""
    return state.phi.nbytes + sum(slot.nbytes for slot in state.slots)
