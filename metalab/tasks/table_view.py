"""What a person sees of a table before its tasks are trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metalab.core.tasks import HELD_OUT, TRAINING
from metalab.tasks.table import TableFamily
from metalab.tasks.table_guess import guessed_roles
from metalab.tasks.table_reading import TableError
from metalab.tasks.table_store import name_of, open_table, table_of
from metalab.tasks.table_words import words_of

NUM_SHOWN_TASKS = 12
NUM_SHOWN_HELD_OUT = 3
NUM_SHOWN_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """A table, and the columns that a person has chosen for it.

    Attributes:
        path: A file to read; None for a table that was read before.
        data: What experiments call it; "" with a file.
        task: Column of the task; None guesses it.
        x: Columns of the inputs; None guesses one.
        y: Column of the target; None guesses it.
        support: As `TableFamily.support`.
        num_shots: Support points of each task.
    """

    path: Path | None = None
    data: str = ""
    task: str | None = None
    x: str | None = None
    y: str | None = None
    support: str = "random"
    num_shots: int = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShownTask:
    """A task of the small multiples.

    Attributes:
        name: What the table calls it.
        x: First input, ascending, [row].
        y: Target, [row].
        held_out: Whether it is never trained on.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    held_out: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableView:
    """A table as it is understood.

    Attributes:
        asked: What was asked.
        data: What experiments call it; "" where it could not be read.
        name: Of its file.
        columns: Headings, in the order of the file.
        numeric: Those of columns of numbers.
        first_rows: The first rows, as written.
        roles: Column of "task", "x" and "y".
        lines: What is understood, in words.
        problem: Why its tasks cannot be trained on; "" if they can.
        tasks: Some of them.
    """

    asked: TableRequest
    data: str = ""
    name: str = ""
    columns: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    first_rows: tuple[tuple[str, ...], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    problem: str = ""
    tasks: tuple[ShownTask, ...] = ()

    def options(self) -> dict[str, str]:
        """Return the options of the task family."""
        return {"data": self.data, **dict(self.roles), "support": self.asked.support}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChoice:
    """What a person wants of a table.

    Attributes:
        preset: Whose method.
        options: Of the task family.
        num_shots: Support points of each task.
        starts: Whether a run begins at once.
    """

    preset: str
    options: Mapping[str, str]
    num_shots: int
    starts: bool


def seen_table(asked: TableRequest) -> TableView:
    """Return how a table is understood; what is wrong with it is one of its words.

    Takes a while for a large table: not for the window's thread.
    """
    data = asked.data
    try:
        if asked.path is not None:
            data = open_table(asked.path)
        table = table_of(data)
    except TableError as error:
        name = name_of(data) if asked.path is None else asked.path.name
        return TableView(asked=asked, name=name, problem=str(error))
    numeric = tuple(c.name for c in table.columns if c.is_numeric)
    shown = zip(*(c.cells[:NUM_SHOWN_ROWS] for c in table.columns), strict=True)
    read = TableView(
        asked=asked,
        data=data,
        name=name_of(data),
        columns=table.names,
        numeric=numeric,
        first_rows=tuple(shown),
    )
    roles = {"task": asked.task or "", "x": asked.x or "", "y": asked.y or ""}
    try:
        roles = guessed_roles(table, task=asked.task, x=asked.x, y=asked.y)
        family = TableFamily(
            data=data,
            support=asked.support,
            task=roles["task"],
            x=roles["x"],
            y=roles["y"],
        )
        problem = family.refusal(asked.num_shots) or ""
    except (TableError, ValueError) as error:
        understood = (f"{name_of(data)}: {table.understood}",)
        given = tuple(roles.items())
        return replace(read, roles=given, lines=understood, problem=str(error))
    return replace(
        read,
        roles=tuple(roles.items()),
        lines=words_of(family, num_shots=asked.num_shots),
        problem=problem,
        tasks=_some_tasks(family),
    )


def _some_tasks(family: TableFamily) -> tuple[ShownTask, ...]:
    rows = family.rows
    training = rows.subsets[TRAINING]
    held_out = rows.subsets[HELD_OUT][:NUM_SHOWN_HELD_OUT].tolist()
    wanted = min(NUM_SHOWN_TASKS - len(held_out), len(training))
    # Evenly over the file, not its beginning: that may be one kind of task.
    places = np.linspace(0, len(training) - 1, wanted).round().astype(int)
    chosen = [(int(training[i]), False) for i in places]
    chosen += [(i, True) for i in held_out]
    found: list[ShownTask] = []
    for index, is_held_out in chosen:
        first = int(rows.starts[index])
        part = slice(first, first + int(rows.counts[index]))
        found.append(
            ShownTask(
                name=rows.names[index],
                x=rows.x[part, 0].numpy(),
                y=rows.y[part, 0].numpy(),
                held_out=is_held_out,
            )
        )
    return tuple(found)
