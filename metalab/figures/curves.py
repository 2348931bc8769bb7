"""Adapted curves as data: tidy tables, without a figure."""

from collections.abc import Sequence

import numpy as np

from metalab.analysis.adapt_request import AdaptResult, CustomTask
from metalab.engine.events import Array, Curves, HeldOutTasks
from metalab.figures.table import Column, Table

TRUE, SUPPORT, QUERY, PREDICTED = "true curve", "support", "query", "prediction"

_Block = tuple[float, str, float, Array, Array, Array | None]
"""Task, part, inner step, x, y, and the predictive deviation at them."""


def curves_table(
    tasks: HeldOutTasks, curves: Curves, *, chosen: Sequence[int], num_inner_steps: int
) -> Table:
    """Return how held-out tasks adapt, a row a point.

    Args:
        tasks: The held-out tasks.
        curves: How those of the gallery adapt.
        chosen: Which of these, counted from 0; in the table from 1.
        num_inner_steps: Curves go up to this inner step.
    """
    blocks: list[_Block] = []
    for task in chosen:
        number = task + 1
        own = (
            (TRUE, *tasks.plotted_truth(task)),
            (SUPPORT, *tasks.support.plotted(task)),
            (QUERY, *tasks.query.plotted(task)),
        )
        blocks += [(number, part, np.nan, x, y, None) for part, x, y in own]
        blocks += [
            (
                number,
                PREDICTED,
                step,
                tasks.grid,
                curves.curves[task, step],
                None if curves.deviation is None else curves.deviation[task, step],
            )
            for step in range(num_inner_steps + 1)
        ]
    table = _table(blocks)
    if not tasks.names:
        return table
    numbers = table.numbers("task").astype(int)
    names = np.array([tasks.names[number - 1] for number in numbers])
    return Table((table.columns[0], Column("name", names), *table.columns[1:]))


def explored_table(task: CustomTask, answer: AdaptResult) -> Table:
    """Return how a network adapts to a person's own points, a row a point."""
    blocks: list[_Block] = [(np.nan, SUPPORT, np.nan, task.x, task.y, None)]
    blocks += [
        (
            np.nan,
            PREDICTED,
            step,
            answer.grid,
            curve,
            None if answer.deviation is None else answer.deviation[step],
        )
        for step, curve in enumerate(answer.curves)
    ]
    return _table(blocks)


def _table(blocks: Sequence[_Block]) -> Table:
    """Return the rows of blocks; a column that says nothing anywhere is left out."""
    lengths = [len(block[3]) for block in blocks]
    columns = [
        Column("task", np.repeat([block[0] for block in blocks], lengths)),
        Column("part", np.repeat([block[1] for block in blocks], lengths)),
        Column("inner_step", np.repeat([block[2] for block in blocks], lengths)),
        Column("x", np.concatenate([block[3] for block in blocks])),
        Column("y", np.concatenate([block[4] for block in blocks])),
        Column(
            "deviation",
            np.concatenate(
                [
                    np.full(length, np.nan) if block[5] is None else block[5]
                    for block, length in zip(blocks, lengths, strict=True)
                ]
            ),
        ),
    ]
    kept = [
        column
        for column in columns
        if column.name not in ("task", "deviation") or not np.isnan(column.values).all()
    ]
    return Table(tuple(kept))
