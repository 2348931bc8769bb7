"""A person's table on the command line: which columns, and what was understood."""

from collections.abc import Mapping
from pathlib import Path

from metalab.core.errors import UserError
from metalab.experiment.config import ExperimentConfig
from metalab.tasks.table import TableFamily
from metalab.tasks.table_words import words_of


def table_options(
    data: Path | None, *, task: str | None, x: str | None, y: str | None
) -> Mapping[str, str] | None:
    """Return the options of the task family that a command line names, or None.

    Raises:
        UserError: A column is named, and no table.
    """
    columns = {"task": task, "x": x, "y": y}
    named = {role: column for role, column in columns.items() if column is not None}
    if data is None:
        if named:
            role, column = next(iter(named.items()))
            raise UserError(f"--{role} is {column!r}, and no --data names its table")
        return None
    return {"data": str(data), **named}


def table_notes(config: ExperimentConfig) -> tuple[str, ...]:
    """Return what is understood of the table of an experiment, a line each.

    Nothing for an experiment with other tasks.
    """
    family = config.tasks.family.build()
    if not isinstance(family, TableFamily):
        return ()
    return words_of(family, num_shots=max(config.tasks.num_shots, config.eval_shots))
