"""The state of a run that a command looks at, and its tasks: options of several."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from metalab.core.errors import UserError

Step = Annotated[
    str | None,
    typer.Option(
        "--step",
        metavar="N|best",
        help="Outer step whose meta-parameters are taken, bit for bit as they were; "
        "best: those with the lowest held-out evaluation of the run. Default: the "
        "newest.",
    ),
]

OtherTasks = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a setting of the task family, for other tasks than the run was "
        "trained on, for example tasks.family.x_max=10. Repeatable.",
    ),
]


def chosen_step(text: str | None) -> int | str | None:
    """Return which state `--step` means, as `runs.services.snapshots.state_at` takes it.

    Raises:
        UserError: It is neither an outer step nor "best".
    """
    if text is None or text == "best":
        return text
    plain = text.replace(",", "") if "," in text[1:] else text
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 18:
        raise UserError(f"--step is {text!r}; allowed: an outer step, from 0, or best")
    return int(plain)


def parsed(assignments: Sequence[str] | None) -> list[tuple[str, Any]]:
    """Return paths and values of `--set`.

    Raises:
        ConfigError: A text is no assignment.
    """
    from metalab.experiment.fields import parse_assignment  # noqa: PLC0415 - torch

    return [parse_assignment(text) for text in assignments or ()]
