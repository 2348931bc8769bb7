"""A table cut into tasks: rows by task, the split, and how numbers are scaled."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from metalab.core.tasks import HELD_OUT, SUBSETS, TRAINING, VALIDATION
from metalab.tasks.table_reading import Column, Table, TableError
from metalab.tasks.table_store import table_of

SCALINGS = ("standardise", "raw", "log")

_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "meta-train"), TRAINING),
    **dict.fromkeys(("val", "valid", "validation", "dev", "meta-val"), VALIDATION),
    **dict.fromkeys(("test", "held-out", "heldout", "held out", "meta-test"), HELD_OUT),
}
FEWEST_ROWS = 2
"""One row to adapt to and one to measure on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Roles of the columns, and how the table is cut.

    Attributes:
        data: Name and hash of the table.
        task: Column that names the task.
        x: Columns of the inputs.
        y: Column of the target.
        split_column: Column that says "training", "validation" or "held-out" of each
            task; "" splits by `split_seed`.
        held_out_share: Share of the tasks that is held out.
        validation_share: Share of the tasks for validation.
        split_seed: Shuffles the tasks before they are split.
        fold: Which part of the shuffled tasks is held out, from 0.
        x_scaling: One of `SCALINGS`.
        y_scaling: One of `SCALINGS`.
    """

    data: str
    task: str
    x: tuple[str, ...]
    y: str
    split_column: str
    held_out_share: float
    validation_share: float
    split_seed: int
    fold: int
    x_scaling: str
    y_scaling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How numbers of a column become numbers of the network, and back.

    Attributes:
        shift: Taken away first.
        scale: Divided by then.
        log: Whether the natural logarithm is taken before both.
    """

    shift: float = 0.0
    scale: float = 1.0
    log: bool = False

    def given(self, values: Tensor) -> Tensor:
        """Return numbers of the column as the network is given them."""
        return ((values.log() if self.log else values) - self.shift) / self.scale

    def own(self, values: Tensor) -> Tensor:
        """Return numbers of the network in the column's own unit."""
        found = values * self.scale + self.shift
        return found.exp() if self.log else found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableRows:
    """A table cut into tasks, in float64, in the columns' own units.

    Attributes:
        names: What the tasks are called, in the order in which they come.
        x: Inputs, [row, input]: rows of a task lie together, ascending in the first.
        y: Targets, [row, 1].
        starts: First row of each task, [task].
        counts: Rows of each task, [task].
        subsets: Numbers of the tasks of each subset, in the order of their shuffling.
        x_scales: Of each input.
        y_scale: Of the target.
        left_out: Names of tasks with fewer rows than `FEWEST_ROWS`.
    """

    names: tuple[str, ...]
    x: Tensor
    y: Tensor
    starts: Tensor
    counts: Tensor
    subsets: dict[str, Tensor]
    x_scales: tuple[Scale, ...]
    y_scale: Scale
    left_out: tuple[str, ...]

    @property
    def x_range(self) -> tuple[float, float]:
        """Smallest and largest first input."""
        return float(self.x[:, 0].min()), float(self.x[:, 0].max())

    def given_x(self, x: Tensor) -> Tensor:
        """Return inputs as the network is given them, [..., input]."""
        columns = [s.given(x[..., i]) for i, s in enumerate(self.x_scales)]
        return torch.stack(columns, dim=-1)

    def own_x(self, x: Tensor) -> Tensor:
        """Return inputs in their own units, [..., input]."""
        columns = [s.own(x[..., i]) for i, s in enumerate(self.x_scales)]
        return torch.stack(columns, dim=-1)


@lru_cache(maxsize=8)
def rows_of(roles: Roles) -> TableRows:
    """Return a table cut into tasks.

    Raises:
        TableError: It cannot be; the message names the column, or the line.
    """
    table = table_of(roles.data)
    _check_distinct(roles)
    task = table.column(roles.task, "task")
    inputs = [table.column(name, "x").numbers() for name in roles.x]
    target = table.column(roles.y, "y").numbers()
    _check_tasks(task)
    number = {name: i for i, name in enumerate(task.distinct)}
    of_row = np.array([number[cell] for cell in task.cells])
    rows = np.lexsort((inputs[0], of_row))
    counts = np.bincount(of_row, minlength=len(number))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    kept = counts >= FEWEST_ROWS
    subsets = _subsets(roles, table, task, kept)
    training = np.isin(of_row, subsets[TRAINING])
    x_scales = tuple(
        _scale(table.column(name, "x"), values, training, roles.x_scaling)
        for name, values in zip(roles.x, inputs, strict=True)
    )
    y_scale = _scale(table.column(roles.y, "y"), target, training, roles.y_scaling)
    return TableRows(
        names=task.distinct,
        x=torch.from_numpy(np.stack(inputs, axis=1)[rows]),
        y=torch.from_numpy(target[rows, None]),
        starts=torch.from_numpy(starts),
        counts=torch.from_numpy(counts),
        subsets={name: torch.from_numpy(chosen) for name, chosen in subsets.items()},
        x_scales=x_scales,
        y_scale=y_scale,
        left_out=tuple(n for n, k in zip(task.distinct, kept, strict=True) if not k),
    )


def _check_distinct(roles: Roles) -> None:
    used = (roles.task, *roles.x, roles.y)
    twice = next((name for name in used if used.count(name) > 1), None)
    if twice is not None:
        raise TableError(
            f"column {twice!r} is used twice, as {_uses(roles, twice)}; allowed: once"
        )


def _uses(roles: Roles, name: str) -> str:
    uses = ["task"] * (roles.task == name) + ["x"] * roles.x.count(name)
    return " and ".join([*uses, *["y"] * (roles.y == name)])


def _check_tasks(task: Column) -> None:
    empty = next((row for row, cell in enumerate(task.cells) if not cell), None)
    if empty is not None:
        raise TableError(
            f"line {task.line(empty)}, column {task.name!r} is empty: no task's name"
        )
    if len(task.distinct) == 1:
        raise TableError(
            f"column {task.name!r} names one task, {task.cells[0]!r}; allowed: at least "
            "two, one to train on and one to hold out"
        )


def _subsets(
    roles: Roles, table: Table, task: Column, kept: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the numbers of the tasks of each subset; none is empty but validation."""
    usable = np.flatnonzero(kept)
    if len(usable) < 2:
        raise TableError(
            f"column {task.name!r} names {len(kept):,} tasks, of which {len(usable)} "
            f"have at least {FEWEST_ROWS} rows; allowed: at least two such tasks"
        )
    if roles.split_column:
        split = table.column(roles.split_column, "split_column")
        return _by_column(split, task, usable)
    shuffled = _shuffled([task.distinct[i] for i in usable], roles.split_seed, usable)
    count = len(shuffled)
    first = round(roles.fold * roles.held_out_share * count)
    end = round((roles.fold + 1) * roles.held_out_share * count)
    end = max(end, first + 1)
    if end > count:
        most = max(math.floor(1 / roles.held_out_share) - 1, 0)
        raise TableError(
            f"fold is {roles.fold}; allowed: 0 to {most}, of {count} tasks"
        )
    held_out = shuffled[first:end]
    rest = np.concatenate([shuffled[end:], shuffled[:first]])
    num_validation = round(roles.validation_share * count)
    if num_validation >= len(rest):
        raise TableError(
            f"held_out_share {roles.held_out_share:g} and validation_share "
            f"{roles.validation_share:g} leave no task of {count} to train on"
        )
    return {
        TRAINING: np.sort(rest[num_validation:]),
        VALIDATION: rest[:num_validation],
        HELD_OUT: held_out,
    }


def _shuffled(names: Sequence[str], seed: int, numbers: np.ndarray) -> np.ndarray:
    """Return tasks in an order that a seed and their names fix, and no other task."""
    keys = [
        hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest()
        for name in names
    ]
    return numbers[sorted(range(len(names)), key=keys.__getitem__)]


def _by_column(
    split: Column, task: Column, usable: np.ndarray
) -> dict[str, np.ndarray]:
    said: dict[str, str] = {}
    for row, (name, word) in enumerate(zip(task.cells, split.cells, strict=True)):
        subset = _SPLIT_WORDS.get(word.lower())
        if subset is None:
            raise TableError(
                f"line {split.line(row)}, column {split.name!r} is {word!r}; allowed: "
                "training, validation, held-out (or train, val, test)"
            )
        if said.setdefault(name, subset) != subset:
            raise TableError(
                f"line {split.line(row)}, column {split.name!r}: task {name!r} is "
                f"{subset} here and {said[name]} before"
            )
    found = {
        subset: np.array(
            [i for i in usable if said[task.distinct[i]] == subset], dtype=np.int64
        )
        for subset in SUBSETS
    }
    for subset in (TRAINING, HELD_OUT):
        if not len(found[subset]):
            raise TableError(f"column {split.name!r} names no {subset} task")
    return found


def _scale(
    column: Column, values: np.ndarray, training: np.ndarray, scaling: str
) -> Scale:
    """Return how a column is scaled, from the rows of the training tasks alone."""
    if scaling == "raw":
        return Scale()
    log = scaling == "log"
    if log and (values <= 0).any():
        row = int(np.flatnonzero(values <= 0)[0])
        raise TableError(
            f"line {column.line(row)}, column {column.name!r} is {values[row]:g}; "
            "allowed with a log scale: above 0"
        )
    seen = np.log(values[training]) if log else values[training]
    deviation = float(seen.std())
    if not deviation > 0:
        raise TableError(
            f"column {column.name!r} is {values[training][0]:g} in every row of the "
            "training tasks: there is nothing to standardise"
        )
    return Scale(shift=float(seen.mean()), scale=deviation, log=log)
