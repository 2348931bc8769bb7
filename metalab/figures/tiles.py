"""The order of the gallery's tiles, in the window and on paper."""

import numpy as np

from metalab.engine.events import Curves, HeldOutTasks
from metalab.figures.base import BY_LOSS, BY_TASK
from metalab.figures.errors import FigureError


def order_of(tasks: HeldOutTasks, curves: Curves | None, sort: str) -> list[int]:
    """Return tasks in the order of the tiles, counted from 0.

    Args:
        tasks: The held-out tasks.
        curves: How they are adapted to; without, no loss is known.
        sort: See `FigureChoices.sort`.

    Raises:
        FigureError: The tasks have no such number.
    """
    count = tasks.num_gallery
    if sort in tasks.parameter_names:
        column = tasks.parameter_names.index(sort)
        return np.argsort(tasks.parameters[:count, column], kind="stable").tolist()
    if sort == BY_LOSS and curves is not None:
        # NaN, a loss beyond all bounds, sorts last.
        losses = curves.query_loss[:, tasks.num_inner_steps]
        return np.argsort(losses, kind="stable").tolist()
    if sort not in (BY_TASK, BY_LOSS):
        allowed = ", ".join((BY_TASK, BY_LOSS, *tasks.parameter_names))
        raise FigureError(f"sort is {sort!r}; allowed for these tasks: {allowed}")
    return list(range(count))
