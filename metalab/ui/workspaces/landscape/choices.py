"""Choices of the Landscape page, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from metalab.analysis.landscape_request import AXES, SURFACES, LandscapeRequest
from metalab.figures.looking import MOST_DOUBLINGS, MOST_PATHS, outer_states

if TYPE_CHECKING:
    from metalab.ui.session.moment import Moment

MOST_TASKS = MOST_PATHS
EXTENT_DOUBLINGS = MOST_DOUBLINGS
"""The square can be so many times doubled or halved."""


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


def slice_of(moment: "Moment", choices: Choices) -> LandscapeRequest | None:
    """Return the question about a moment; None before it has anything to ask about."""
    tasks = moment.history.held_out_tasks
    if moment.phi is None or tasks is None:
        return None
    count = tasks.num_gallery
    shown = min(choices.num_tasks, count)
    return LandscapeRequest(
        config=moment.config,
        phi=moment.phi,
        step=moment.step,
        tasks=tuple((moment.task + index) % count for index in range(shown)),
        num_inner_steps=moment.config.num_shown_steps,
        surface=choices.surface,
        axes=choices.axes,
        extent=2.0**choices.zoom,
        outer=outer_states(moment.history, moment.step, moment.phi),
    )
