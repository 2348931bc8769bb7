"""An experiment with other tasks than its network was trained on, for evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

from metalab.engine.build import build_family
from metalab.engine.shapes import state_shapes
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import (
    ConfigError,
    FieldProblem,
    typed_problems,
    with_overrides,
)

FAMILY = "tasks.family"


def on_other_tasks(
    config: ExperimentConfig, changes: Sequence[tuple[str, Any]]
) -> ExperimentConfig:
    """Return the experiment with settings of its task family changed.

    Meta-parameters stay what they are, so the inputs and outputs of a task must, too.

    Args:
        config: The experiment that the meta-parameters are of.
        changes: Dotted paths and plain values.

    Raises:
        ConfigError: A setting is not one of the task family's, a value is not allowed, or
            the network cannot be given such tasks.
    """
    problems = [
        FieldProblem(
            path,
            "cannot be changed here: the meta-parameters were trained with it; allowed: "
            f"{FAMILY} and settings that begin with {FAMILY}.",
        )
        for path, _ in changes
        if path != FAMILY and not path.startswith(f"{FAMILY}.")
    ]
    if problems:
        raise ConfigError(problems)
    other = with_overrides(config, changes)
    doubts = typed_problems(other, config)
    if doubts:
        raise ConfigError(doubts)
    before, after = build_family(config), build_family(other)
    dims = (before.input_dim, before.output_dim)
    wanted = (after.input_dim, after.output_dim)
    if dims != wanted or state_shapes(config) != state_shapes(other):
        raise ConfigError(
            [
                FieldProblem(
                    f"{FAMILY}.kind",
                    f"is {after.name!r}, with {_told(wanted)} a task; the network was "
                    f"trained with {_told(dims)}",
                )
            ]
        )
    return other


def changed_tasks(
    config: ExperimentConfig, other: ExperimentConfig
) -> Mapping[str, Any]:
    """Return the settings of the task family that differ, with the other's values."""
    mine = config.to_mapping()["tasks"]["family"]
    theirs = other.to_mapping()["tasks"]["family"]
    return {
        f"{FAMILY}.{key}": value
        for key, value in theirs.items()
        if key not in mine or mine[key] != value
    }


def _told(dims: tuple[int, int]) -> str:
    inputs, outputs = dims
    return (
        f"{inputs} input{'s' if inputs > 1 else ''} and "
        f"{outputs} output{'s' if outputs > 1 else ''}"
    )
