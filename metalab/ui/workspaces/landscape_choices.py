"""What a person chooses of a landscape, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from metalab.engine.events import frozen
from metalab.engine.sliced import AXES, SURFACES, Slice

if TYPE_CHECKING:
    from metalab.engine.events import Array
    from metalab.ui.moment import Moment

MOST_TASKS = 8
EXTENT_DOUBLINGS = 4
"""The square can be so many times doubled or halved."""

_MOST_STATES = 200
"""States of the outer loop that its path goes through at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a landscape is of.

    Attributes:
        surface: One of `SURFACES`.
        axes: One of `AXES`.
        zoom: The square's side is multiplied by 2 to this power.
        num_tasks: Tasks whose inner paths are drawn.
        log: Whether colours go with the logarithm of the loss.
    """

    surface: str = "support"
    axes: str = "paths"
    zoom: int = 0
    num_tasks: int = 4
    log: bool = True

    def as_state(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def restored(self, state: Mapping[str, Any]) -> "Choices":
        """Return the choices of a state; what is not understood stays."""
        allowed: dict[str, object] = {
            "surface": SURFACES,
            "axes": AXES,
            "zoom": range(-EXTENT_DOUBLINGS, EXTENT_DOUBLINGS + 1),
            "num_tasks": range(1, MOST_TASKS + 1),
            "log": (True, False),
        }
        known: dict[str, Any] = {}
        for name, values in allowed.items():
            value = state.get(name)
            same_type = type(value) is type(getattr(self, name))
            if same_type and value in values:  # pyright: ignore[reportOperatorIssue] - all are containers
                known[name] = value
        return replace(self, **known)


def slice_of(moment: "Moment", choices: Choices) -> Slice | None:
    """Return the question about a moment; None before it has anything to ask about."""
    tasks = moment.history.probe_tasks
    if moment.phi is None or tasks is None:
        return None
    count = len(tasks.true_curves)
    shown = min(choices.num_tasks, count)
    return Slice(
        config=moment.config,
        phi=moment.phi,
        step=moment.step,
        tasks=tuple((moment.task + index) % count for index in range(shown)),
        num_inner_steps=moment.config.num_shown_steps,
        surface=choices.surface,
        axes=choices.axes,
        extent=2.0**choices.zoom,
        outer=_outer_states(moment),
    )


def _outer_states(moment: "Moment") -> "Array":
    """Return meta-parameters from the first outer step to the moment's, [state, meta]."""
    assert moment.phi is not None, "there is a moment to come to"
    states = [
        state.phi
        for state in moment.history.trail.states()
        if state.step < moment.step and state.phi.shape == moment.phi.shape
    ]
    if len(states) >= _MOST_STATES:
        places = np.linspace(0, len(states) - 1, _MOST_STATES - 1).round()
        states = [states[int(place)] for place in places]
    return frozen(np.stack([*states, moment.phi]))
