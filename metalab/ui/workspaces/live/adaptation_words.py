"""Texts and numbers of the adaptation to one held-out task."""

from dataclasses import dataclass

from metalab.engine.events import Curves, HeldOutTasks
from metalab.figures.drawing import number_of
from metalab.ui.plot.ticks import number_text
from metalab.ui.workspaces.live.adaptation_drawing import BAND_DEVIATIONS


def task_line(tasks: HeldOutTasks, task: int) -> str:
    """Return a task's name, or its number and values."""
    title = tasks.title(task)
    return title if tasks.names else f"{title}: {task_values(tasks, task)}"


def task_values(tasks: HeldOutTasks, task: int) -> str:
    """Return the numbers of a task in words, such as "amplitude 3.21, phase 0.53"."""
    return tasks.words(task, number_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptationText:
    """What a view says of a task.

    Attributes:
        values: The task's numbers.
        losses: Its query loss before, after K and after K' inner steps.
        all: Everything, in a sentence; "" without a task.
    """

    values: str = ""
    losses: str = ""
    all: str = ""


def in_words(
    tasks: HeldOutTasks | None,
    curves: Curves | None,
    task: int,
    *,
    moved: bool,
    selected: int | None,
) -> AdaptationText:
    """Say how a task is adapted to.

    Args:
        tasks: The held-out tasks, if there are any yet.
        curves: How they are adapted to, if that is known.
        task: Which of them.
        moved: Whether a person has moved support points of it.
        selected: The support point that is selected, if one is.
    """
    if tasks is None or task >= tasks.num_gallery:
        return AdaptationText()
    values, losses = task_values(tasks, task), ""
    parts = [task_line(tasks, task)]
    if moved:
        parts.append("adapted to support points of yours")
    if selected is not None:
        parts.append(_selected_point(tasks, task, selected))
    if curves is not None:
        losses, sentence = _query_losses(tasks, curves, task)
        parts.append(sentence)
    return AdaptationText(values=values, losses=losses, all="; ".join(parts))


def _query_losses(tasks: HeldOutTasks, curves: Curves, task: int) -> tuple[str, str]:
    """Return a task's query loss before, after K and after K' steps: short, in words."""
    query = [number_text(float(loss)) for loss in curves.query_loss[task]]
    k, last = tasks.num_inner_steps, len(query) - 1
    short = " → ".join(query[step] for step in sorted({0, k, last}))
    return short, (
        f"query loss {query[0]} before adaptation, {query[k]} after K = {k}, "
        f"{query[-1]} after {number_of(last, 'inner step')}"
    )


def _selected_point(tasks: HeldOutTasks, task: int, shot: int) -> str:
    """Return which support point is selected, and where it stands."""
    x, y = (number_text(float(part[shot])) for part in tasks.support.plotted(task))
    num_shots = tasks.support.num_shots
    return f"point {shot + 1} of {num_shots} is selected, at x = {x}, y = {y}"


def values_at(
    tasks: HeldOutTasks, curves: Curves, task: int, step: int, point: int
) -> list[tuple[str, str]]:
    """Return names and values of the curves at a point of the grid.

    Args:
        tasks: The held-out tasks.
        curves: How they are adapted to.
        task: Which of them.
        step: The inner step that is emphasised.
        point: Index into the grid.
    """
    predicted = curves.curves[task, :, point]
    truth = tasks.true_curve(task)
    rows = [] if truth is None else [("True", number_text(float(truth[point])))]
    rows.extend(
        (f"Step {shown}", number_text(float(predicted[shown])))
        for shown in sorted({0, tasks.num_inner_steps, step})
    )
    if curves.deviation is not None:
        half = BAND_DEVIATIONS * curves.deviation[task, step, point]
        rows.append(("  ±2 sd", number_text(float(half))))
    return rows
