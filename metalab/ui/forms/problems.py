"""Mapping from a problem to the row of the form that shows it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldProblem

_NAME = re.compile(r"[a-z_][a-z_0-9]*(?:\.[a-z_0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProblems:
    """Problems by the place where they are shown.

    Attributes:
        of_field: Message by path of the field.
        of_group: Messages by name of the group: about several of its fields.
        of_experiment: Messages about the experiment as a whole.
        suspects: Paths of fields that messages about several fields name.
    """

    of_field: Mapping[str, str]
    of_group: Mapping[str, list[str]]
    of_experiment: list[str]
    suspects: frozenset[str]


def placed(
    problems: Sequence["FieldProblem"], paths: Collection[str]
) -> PlacedProblems:
    """Return where to show each problem.

    Args:
        problems: What is wrong.
        paths: Every field of the form.
    """
    of_field: dict[str, str] = {}
    of_group: dict[str, list[str]] = {}
    of_experiment: list[str] = []
    suspects: set[str] = set()
    groups = {path.split(".")[0] for path in paths}
    for problem in problems:
        group = problem.path.split(".")[0]
        if problem.path in paths:
            of_field[problem.path] = problem.message
            continue
        suspects |= _named(problem, paths)
        if group in groups:
            of_group.setdefault(group, []).append(problem.message)
        else:
            of_experiment.append(str(problem))
    return PlacedProblems(
        of_field=of_field,
        of_group=of_group,
        of_experiment=of_experiment,
        suspects=frozenset(suspects),
    )


def _named(problem: "FieldProblem", paths: Collection[str]) -> set[str]:
    names = _NAME.findall(problem.message)
    return {
        path
        for name in names
        for path in (name, f"{problem.path}.{name}")
        if path in paths
    }
