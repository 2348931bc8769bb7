"""Description of a figure, and the choices about one. Imports no matplotlib."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metalab.figures.errors import FigureError
from metalab.runs.record.history import RunHistory

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.figures.drawing import Drawing
    from metalab.figures.sizes import FigureSize

X_AXES = ("outer step", "training time", "tasks seen")
"""What `losses` can be drawn against."""

LEGENDS = ("above", "right", "none")
"""Where a legend can stand: never on the curves."""

BY_TASK, BY_LOSS = "task", "loss"
"""Orders of the gallery that every family has."""

LARGEST_SHARE = 0.5
"""Of what is shown, that one value of a moving average may span."""

MOST_EARLIER = 3
"""Earlier evaluations beside the newest: more are not told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChoices:
    """What a person chose about a figure; each figure heeds some of it.

    Attributes:
        task: Held-out task whose adaptation is drawn, counted from 0.
        log_y: Whether the axis, or the colours, of a loss are logarithmic.
        smoothing: Share of what is shown that the moving average of the losses spans,
            from 0 (no smoothing) to `LARGEST_SHARE`.
        x: What losses are drawn against, one of `X_AXES`.
        legend: Where the legend stands, one of `LEGENDS`.
        sort: What the tiles of the gallery are sorted by: "task", "loss" or the name of
            one of the tasks' numbers.
        moved: Held-out tasks whose support points a person has moved, counted from 0;
            the caption says so.
        inner_step: Last inner step drawn, as a frame of an animation has it; None draws
            all.
        num_earlier: How many earlier evaluations stand beside the newest one, at most
            `MOST_EARLIER`; an animation takes fewer, which do not come and go.

    Raises:
        FigureError: A choice is not admissible.
    """

    task: int = 0
    log_y: bool = True
    smoothing: float = 0.05
    x: str = "outer step"
    legend: str = "above"
    sort: str = BY_TASK
    moved: tuple[int, ...] = ()
    inner_step: int | None = None
    num_earlier: int = MOST_EARLIER

    def __post_init__(self) -> None:
        """Refuse what no figure could draw."""
        if self.task < 0:
            raise FigureError(f"task is {self.task}; allowed: 0 or more")
        if self.inner_step is not None and self.inner_step < 0:
            raise FigureError(f"inner_step is {self.inner_step}; allowed: 0 or more")
        if not 0 <= self.num_earlier <= MOST_EARLIER:
            raise FigureError(
                f"num_earlier is {self.num_earlier}; allowed: 0 to {MOST_EARLIER}"
            )
        if not 0 <= self.smoothing <= LARGEST_SHARE:
            raise FigureError(
                f"smoothing is {self.smoothing!r}; allowed: 0 to {LARGEST_SHARE}"
            )
        for name, value, known in (
            ("x", self.x, X_AXES),
            ("legend", self.legend, LEGENDS),
        ):
            if value not in known:
                raise FigureError(f"{name} is {value!r}; allowed: {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSpec:
    """One figure: pure functions of what is seen. One of these a file in `kinds`.

    Attributes:
        name: Unique, lower case, for the command line and file names.
        title: One line for menus and slides.
        heeds: The fields of `FigureChoices` that change the figure, but for those that
            only animations set.
        over_training: Whether an axis is the outer step, so that the figure shows the
            whole run; others show one moment of it.
        draw: Takes what is seen, choices and size; returns the figure's data, one tidy
            table, and how to draw them; raises `FigureError` if what is seen does not
            hold what is needed.
        page: Key of the window's page that the figure belongs to.
        sight: Type of what is seen: a run's history, or one of `figures.sights`.
        of_tasks: Whether all that it shows is how held-out tasks adapt, so that it can
            show other tasks than the run's.
        costly: Whether coming to see it takes seconds, so that the window's dialog takes
            what the page has computed, and nothing else.
    """

    name: str
    title: str
    heeds: frozenset[str]
    draw: "Callable[[Any, FigureChoices, FigureSize], Drawing]"
    over_training: bool = False
    page: str = "live"
    sight: type = RunHistory
    of_tasks: bool = False
    costly: bool = False
