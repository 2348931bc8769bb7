"""`metalab sweep new`: a sweep file from options."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metalab.cli.output import console, delivered
from metalab.core.errors import UserError
from metalab.core.paths import obstacle_to_replace, replace_file

if TYPE_CHECKING:
    from metalab.experiment.sweep_file import SweepFile

COMMAND = "sweep-new"


def in_one_word(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which `sweep new` is one word; `sweep ./new` is a file."""
    if list(arguments[:2]) == ["sweep", "new"]:
        return [COMMAND, *arguments[2:]]
    return list(arguments)


def sweep_new(
    file: Annotated[Path, typer.Argument(help="Sweep file to write (TOML).")],
    base: Annotated[
        str | None, typer.Option(help="Preset that every run starts from.")
    ] = None,
    axes: Annotated[
        list[str] | None,
        typer.Option(
            "--axis",
            metavar="PATH=SPEC",
            help="A setting and its values: log:0.001:0.1:5, linear:…, uniform:…, "
            "log_uniform:… (low, high, how many), or a list, 1,2,5. With --search, "
            "without how many. method=maml-sine,fomaml-sine compares presets. "
            "Repeatable.",
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="A setting of every run."),
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="How many training seeds, or which: 0,1,7.")
    ] = "1",
    name: Annotated[
        str | None, typer.Option(help="Of the sweep; by default, of the file.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            metavar="SAMPLER:NUM",
            help="Let Optuna choose the values: tpe, random or qmc, and how many trials.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is there.")
    ] = False,
) -> int:
    """Write a sweep file, and say how many runs it makes. It asks nothing."""
    from metalab.experiment.fields import parse_assignment  # noqa: PLC0415 - torch
    from metalab.experiment.sweep_file import sweep_of, to_toml  # noqa: PLC0415

    obstacle = obstacle_to_replace([file], force=force)
    if obstacle is not None:
        raise UserError(obstacle)
    content: dict[str, Any] = {
        "name": name or file.stem,
        "settings": dict(parse_assignment(text) for text in assignments or []),
        "axes": dict(_axis(text) for text in axes or []),
        "seeds": _seeds(seeds),
    }
    if base is not None:
        content["base"] = base
    if search is not None:
        content["search"] = _search(search)
    sweep = sweep_of(content, file)
    _check(sweep)
    try:
        replace_file(file, to_toml(sweep).encode())
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from error
    console().print(
        f"{file}: {sweep.num_runs:,} runs. Next: metalab sweep {file} --plan"
    )
    return delivered()


def _check(sweep: "SweepFile") -> None:
    """Refuse a sweep that could not be run, before anything is written.

    Raises:
        UserError: Names the path or the value.
    """
    from metalab.studies.sweep import plan_of  # noqa: PLC0415 - torch

    plan_of(sweep)
    if sweep.search is not None:
        from metalab.studies.search import space_of  # noqa: PLC0415

        space_of(sweep)


def _axis(text: str) -> tuple[str, Any]:
    from metalab.experiment.sweep_file import axis_of  # noqa: PLC0415 - torch

    path, sign, spec = text.partition("=")
    if not sign or not spec:
        raise UserError(
            f"--axis is {text!r}; allowed: PATH=log:0.001:0.1:5, or PATH=1,2,5"
        )
    axis = axis_of(path, spec)
    return path, axis if isinstance(axis, list) else axis.model_dump(exclude_none=True)


def _seeds(text: str) -> int | list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(
            f"--seeds is {text!r}; allowed: how many, or which: 0,1,7"
        ) from error
    return numbers[0] if len(numbers) == 1 else numbers


def _search(text: str) -> dict[str, Any]:
    sampler, _, num = text.partition(":")
    if not num.isdecimal():
        raise UserError(f"--search is {text!r}; allowed: SAMPLER:NUM, such as tpe:50")
    return {"sampler": sampler, "num": int(num)}
