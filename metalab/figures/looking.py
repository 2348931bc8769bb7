"""Coming to see what a page of the window shows, from a run file. Imports torch late."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metalab.analysis.comparison import MOST_STEPS, MOST_TASKS, ComparisonRequest
from metalab.analysis.landscape_request import AXES, FINEST, SURFACES, LandscapeRequest
from metalab.engine.events import Array, HeldOutTasks, frozen
from metalab.figures.base import FigureSpec
from metalab.figures.errors import FigureError
from metalab.figures.sights import (
    AdaptSight,
    EstimatorsSight,
    LandscapeSight,
    RatesSight,
    Sight,
    Standpoint,
    StructureSight,
)

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

Tell = Callable[[str, float | None], None]
"""Hears what is computed, and which share of it is done; raises to give up."""

MOST_INNER_STEPS = 1000
"""Of a task of one's own."""

NUM_PATHS = 4
"""Tasks whose inner paths are drawn over a landscape."""

MOST_PATHS = 8
MOST_DOUBLINGS = 4
MOST_STATES = 200
"""States of the outer loop that its path goes through at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Choices of what is looked at, beside the standpoint; each page heeds some.

    Attributes:
        points: Support points in place of the held-out task's own, x and y, [shot]
            each; None keeps those.
        surface: Of a landscape, one of `analysis.landscape_request.SURFACES`.
        axes: What its plane is spanned by, one of `analysis.landscape_request.AXES`.
        zoom: Its square's side is multiplied by 2 to this power.
        num_paths: Tasks whose inner paths are drawn over it.
        num_inner_steps: K that estimators are compared at; None takes the run's.
        against: Whether estimators are compared with the derivative after "steps" or
            with that of the inner "solution".
        seed: Fixes the meta-batches of that comparison.

    Raises:
        FigureError: A choice is not admissible.
    """

    points: tuple[Array, Array] | None = None
    surface: str = "support"
    axes: str = "paths"
    zoom: int = 0
    num_paths: int = NUM_PATHS
    num_inner_steps: int | None = None
    against: str = "steps"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be looked at."""
        for name, value, known in (
            ("surface", self.surface, SURFACES),
            ("axes", self.axes, AXES),
            ("against", self.against, ("steps", "solution")),
        ):
            if value not in known:
                raise FigureError(f"{name} is {value!r}; allowed: {', '.join(known)}")
        for name, value, low, high in (
            ("zoom", self.zoom, -MOST_DOUBLINGS, MOST_DOUBLINGS),
            ("num_paths", self.num_paths, 1, MOST_PATHS),
            ("num_inner_steps", self.num_inner_steps or 1, 1, MOST_STEPS),
        ):
            if not low <= value <= high:
                raise FigureError(f"{name} is {value}; allowed: {low} to {high}")


def sight_of(
    spec: FigureSpec,
    where: Standpoint,
    looking: Looking,
    tell: Tell = lambda _text, _share: None,
) -> Sight:
    """Return what a figure is drawn from.

    Args:
        spec: The figure.
        where: Run, outer step and task.
        looking: What else is chosen.
        tell: Hears how far it is.

    Raises:
        UserError: The run has nothing of the kind; the message says why.
    """
    looks: dict[type, Callable[[Standpoint, Looking, Tell], Sight]] = {
        AdaptSight: _adapt,
        LandscapeSight: _landscape,
        EstimatorsSight: _estimators,
        StructureSight: _structure,
        RatesSight: _rates,
    }
    look = looks.get(spec.sight)
    return where.history if look is None else look(where, looking, tell)


def _tasks(where: Standpoint) -> HeldOutTasks:
    tasks = where.history.held_out_tasks
    if tasks is None:
        raise FigureError("this run has no held-out tasks yet")
    if where.task >= len(tasks.support):
        raise FigureError(
            f"task is {where.task + 1}; allowed: 1 to {len(tasks.support)}"
        )
    return tasks


def _adapt(where: Standpoint, looking: Looking, tell: Tell) -> AdaptSight:
    from metalab.analysis.adapt_request import AdaptRequest, CustomTask, Start, reach  # noqa: PLC0415
    from metalab.analysis.adaptation import TaskAdapter  # noqa: PLC0415 - torch

    del tell
    config, tasks = where.history.config_at(where.step), _tasks(where)
    step = config.num_inner_steps if where.inner_step is None else where.inner_step
    if step > MOST_INNER_STEPS:
        raise FigureError(f"inner_step is {step}; allowed: 0 to {MOST_INNER_STEPS}")
    moved = looking.points is not None
    x, y = looking.points or tasks.support.plotted(where.task)
    try:
        grid = reach(tasks.grid, x)
    except ValueError as error:
        raise FigureError(f"points: {error}") from error
    other_x, other_y = tasks.other_observations(where.task)
    others = {} if moved else {"other_x": other_x, "other_y": other_y}
    asked = AdaptRequest(
        task=CustomTask(
            x=x,
            y=y,
            grid=grid,
            # Points of somebody's own lie on no curve that is known.
            truth=None if moved else tasks.true_curve(where.task),
            parameters=None if moved else tasks.parameters[where.task],
            **others,
        ),
        starts=(Start(key="run", config=config, phi=where.phi, step=where.step),),
        # As many as the page shows at first.
        num_inner_steps=max(config.num_shown_steps, step),
    )
    return AdaptSight(
        history=where.history,
        explored=TaskAdapter(config).adapt(asked.starts[0], asked),
        inner_step=step,
        task="points of one's own" if moved else tasks.phrase(where.task),
    )


def _landscape(where: Standpoint, looking: Looking, tell: Tell) -> LandscapeSight:
    from metalab.runs.services.landscape import survey  # noqa: PLC0415 - torch

    config, tasks = where.history.config_at(where.step), _tasks(where)
    count = tasks.num_gallery
    asked = LandscapeRequest(
        config=config,
        phi=where.phi,
        step=where.step,
        tasks=tuple(
            (where.task + index) % count
            for index in range(min(looking.num_paths, count))
        ),
        num_inner_steps=config.num_shown_steps,
        surface=looking.surface,
        axes=looking.axes,
        extent=2.0**looking.zoom,
        resolution=FINEST,
        outer=outer_states(where.history, where.step, where.phi),
    )
    found = survey(asked, lambda share: tell("landscape", share))
    step = config.num_inner_steps if where.inner_step is None else where.inner_step
    return LandscapeSight(history=where.history, landscape=found, inner_step=step)


def outer_states(history: "RunHistory", step: int, phi: Array) -> Array:
    """Return meta-parameters from the first outer step to a moment's, [state, meta].

    Args:
        history: The run, with its trail.
        step: The outer step of the moment.
        phi: Meta-parameters there, [meta].
    """
    states = [
        state.phi
        for state in history.trail.states()
        if state.step < step and state.phi.shape == phi.shape
    ]
    if len(states) >= MOST_STATES:
        places = np.linspace(0, len(states) - 1, MOST_STATES - 1).round()
        states = [states[int(place)] for place in places]
    return frozen(np.stack([*states, phi]))


def _estimators(where: Standpoint, looking: Looking, tell: Tell) -> EstimatorsSight:
    from metalab.analysis.comparison_steps import comparison_steps  # noqa: PLC0415 - torch
    from metalab.core.hypergradient.target import Target  # noqa: PLC0415

    config = where.history.config_at(where.step)
    targets = {"steps": Target.K_STEP, "solution": Target.SOLUTION}
    request = ComparisonRequest(
        config=config,
        phi=where.phi,
        step=where.step,
        num_inner_steps=looking.num_inner_steps or config.num_inner_steps,
        inner_lr=None,
        damping=None,
        num_tasks=min(config.outer.num_tasks, MOST_TASKS),
        seed=looking.seed,
        against=targets[looking.against],
    )
    comparison = None
    for comparison in comparison_steps(request, lambda text: tell(text, None)):  # noqa: B007
        pass
    assert comparison is not None, "there is always a piece"
    return EstimatorsSight(history=where.history, comparison=comparison)


def _structure(where: Standpoint, looking: Looking, tell: Tell) -> StructureSight:
    from metalab.experiment.config import recipe_of  # noqa: PLC0415 - torch
    from metalab.figures.structure.blueprint import blueprint_of  # noqa: PLC0415
    from metalab.figures.structure.model import numbers_of  # noqa: PLC0415

    del looking, tell
    config = where.history.config_at(where.step)
    recipe = recipe_of(config)
    return StructureSight(
        history=where.history,
        structure=blueprint_of(config).structure(max(where.step - 1, 0)),
        numbers=numbers_of(where.history),
        title="" if recipe is None else recipe.title,
    )


def _rates(where: Standpoint, looking: Looking, tell: Tell) -> RatesSight:
    from metalab.analysis.learned_rates import learned_rates  # noqa: PLC0415 - torch

    del looking, tell
    config = where.history.config_at(where.step)
    return RatesSight(
        history=where.history,
        rates=learned_rates(config, where.phi),
        outer_step=where.step,
    )
