"""Guesses which column of a table is the task, the input and the target."""

from collections.abc import Iterable

from metalab.tasks.table_reading import Column, Table, TableError

_TASK_NAMES = ("task", "task_id", "subject", "patient", "id", "group", "unit", "name")
_X_NAMES = ("x", "time", "t", "year", "date", "age", "day", "hour", "dose", "week")
_Y_NAMES = ("y", "target", "response", "value", "outcome", "concentration", "conc")

FEWEST_ROWS_A_TASK = 2

_ALMOST = 0.5
"""Share of the cells that are numbers, above which the others are taken for mistakes."""


def guessed_roles(
    table: Table, *, task: str | None, x: str | None, y: str | None
) -> dict[str, str]:
    """Return a column for each role, in which those that are given stay.

    The task is the column of words with most different ones, of at least two rows each
    on average; without words, a column of whole numbers with a task's name. Input and
    target are the first columns of numbers that vary, or those with a usual name.

    Raises:
        TableError: There is no column for a role.
    """
    inputs = () if x is None else tuple(name.strip() for name in x.split(","))
    taken = {name for name in (task, *inputs, y) if name is not None}
    if task is None:
        task = _task(table, taken)
        taken.add(task)
    if x is None:
        x = _number(table, taken, _X_NAMES, role="x")
        taken.add(x)
    if y is None:
        y = _number(table, taken, _Y_NAMES, role="y")
    return {"task": task, "x": x, "y": y}


def _task(table: Table, taken: set[str]) -> str:
    free = [column for column in table.columns if column.name not in taken]
    words = [column for column in free if not column.is_numeric and _repeats(column)]
    named = _named(free, _TASK_NAMES)
    if named is not None and _repeats(named):
        return named.name
    if words:
        return max(words, key=lambda column: len(column.distinct)).name
    alone = [column for column in free if len(column.distinct) == 1]
    if alone:
        raise TableError(
            f"task: column {alone[0].name!r} names one task, {alone[0].distinct[0]!r}; allowed: "
            "at least two, or another column, named with --task"
        )
    raise TableError(
        "task: no column repeats words or names a task; say which column names the task; "
        f"there: {', '.join(map(repr, table.names[:20]))}"
    )


def _repeats(column: Column) -> bool:
    count = len(column.distinct)
    return 1 < count <= len(column.cells) / FEWEST_ROWS_A_TASK


def _number(table: Table, taken: set[str], usual: tuple[str, ...], *, role: str) -> str:
    free = [
        column
        for column in table.columns
        if column.name not in taken and column.is_numeric and len(column.distinct) > 1
    ]
    named = _named(free, usual)
    if named is not None:
        return named.name
    if free:
        return free[0].name
    almost = [
        column
        for column in table.columns
        if column.name not in taken and column.share_of_numbers > _ALMOST
    ]
    if almost:
        almost[0].numbers()  # says which cell is none
    raise TableError(
        f"{role}: no column of numbers is left; there: "
        f"{', '.join(map(repr, table.names[:20]))}"
    )


def _named(columns: Iterable[Column], usual: tuple[str, ...]) -> Column | None:
    by_name = {column.name.lower(): column for column in columns}
    return next((by_name[name] for name in usual if name in by_name), None)
