"""Sweeps: many experiments from one file, that differ along axes and in their seeds."""

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from metalab.core.errors import UserError
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides

MOST_RUNS = 10_000
"""Of one sweep: more would fill a disk before anybody looked at them."""

METHOD = "method"
"""The axis whose values are presets, rather than values of a setting."""

Value = bool | int | float | str | list[int]


class SweepError(UserError):
    """A sweep file that cannot be used."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spaced(_Strict):
    """Values from one end to the other.

    Attributes:
        linear: Ends of equal steps.
        log: Ends of equal ratios.
        num: How many values, the ends included.
    """

    linear: tuple[float, float] | None = None
    log: tuple[float, float] | None = None
    num: Annotated[int, Field(ge=2, le=MOST_RUNS)]

    @model_validator(mode="after")
    def _one_scale(self) -> "Spaced":
        if (self.linear is None) == (self.log is None):
            raise ValueError("has both or neither of linear and log; allowed: one")
        if self.log is not None and min(self.log) <= 0:
            raise ValueError(f"log is {list(self.log)}; allowed: ends above 0")
        return self

    def values(self) -> list[Value]:
        """Return the values, in order."""
        if self.log is not None:
            spaced = np.geomspace(*self.log, self.num)
        else:
            assert self.linear is not None, "one of them is there"
            spaced = np.linspace(*self.linear, self.num)
        return [_plain(value) for value in spaced.tolist()]


class Random(_Strict):
    """Values drawn at random, the same for every run of the file.

    Attributes:
        uniform: Ends of an even distribution.
        log_uniform: Ends of one that is even in the logarithm.
        num: How many values.
        seed: Fixes them.
    """

    uniform: tuple[float, float] | None = None
    log_uniform: tuple[float, float] | None = None
    num: Annotated[int, Field(ge=1, le=MOST_RUNS)]
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one_scale(self) -> "Random":
        if (self.uniform is None) == (self.log_uniform is None):
            raise ValueError(
                "has both or neither of uniform and log_uniform; allowed: one"
            )
        if self.log_uniform is not None and min(self.log_uniform) <= 0:
            raise ValueError(
                f"log_uniform is {list(self.log_uniform)}; allowed: ends above 0"
            )
        return self

    def values(self) -> list[Value]:
        """Return the values, in the order in which they were drawn."""
        rng = np.random.default_rng(self.seed)
        if self.log_uniform is not None:
            low, high = (math.log(end) for end in self.log_uniform)
            return [_plain(math.exp(v)) for v in rng.uniform(low, high, self.num)]
        assert self.uniform is not None, "one of them is there"
        return [_plain(v) for v in rng.uniform(*self.uniform, self.num)]


Axis = list[Value] | Spaced | Random


class SweepFile(_Strict):
    """The content of a sweep file.

    Attributes:
        name: Of the folder that its runs are kept in.
        base: A preset, whose settings every run has that no axis changes; not beside an
            axis of methods.
        settings: Dotted paths and values that every run has.
        axes: Dotted paths, or "method", and their values: every combination is run.
        seeds: Training seeds of each combination, or how many, from 0.
    """

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w .+-]+$")]
    base: str | None = None
    settings: dict[str, Value] = {}
    axes: dict[str, Axis] = {}
    seeds: (
        Annotated[list[int], Field(min_length=1)]
        | Annotated[int, Field(ge=1, le=MOST_RUNS)]
    ) = 1
    version: Literal[1] = 1

    @model_validator(mode="after")
    def _one_base(self) -> "SweepFile":
        if (self.base is None) == (METHOD not in self.axes):
            raise ValueError(
                "needs either base, a preset, or an axis named 'method' with presets"
            )
        for path, axis in self.axes.items():
            if isinstance(axis, list) and not axis:
                raise ValueError(f"axes.{path} has no values; allowed: one or more")
        return self

    @property
    def seed_values(self) -> list[int]:
        """Training seeds of each combination."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def axis_values(self) -> dict[str, list[Value]]:
        """Return the values along each axis."""
        return {
            path: axis if isinstance(axis, list) else axis.values()
            for path, axis in self.axes.items()
        }

    @property
    def num_runs(self) -> int:
        """Number of runs of the sweep."""
        sizes = [len(values) for values in self.axis_values().values()]
        return math.prod(sizes) * len(self.seed_values)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One run of a sweep.

    Attributes:
        values: Its value along each axis.
        config: Its experiment.
    """

    values: Mapping[str, Value]
    config: ExperimentConfig


def read_sweep(path: Path) -> SweepFile:
    """Return the sweep of a TOML file.

    Raises:
        SweepError: It cannot be read, or says something that is not allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SweepError(f"{path} cannot be read: {error}") from error
    try:
        sweep = SweepFile.model_validate(content)
    except ValidationError as error:
        raise SweepError(f"{path}: {_words_of(error)}") from error
    if sweep.num_runs > MOST_RUNS:
        raise SweepError(
            f"{path} makes {sweep.num_runs:,} runs; allowed: {MOST_RUNS:,} at most"
        )
    if len(set(sweep.seed_values)) < len(sweep.seed_values):
        raise SweepError(f"{path}: seeds are {sweep.seeds}; allowed: each of them once")
    return sweep


def points_of(sweep: SweepFile) -> Iterator[SweepPoint]:
    """Yield the runs of a sweep: seeds last, so that whole comparisons come early.

    Raises:
        ConfigError: A path or a value is none of an experiment's.
    """
    axes = sweep.axis_values()
    for seed in sweep.seed_values:
        for chosen in itertools.product(*axes.values()):
            values = dict(zip(axes, chosen, strict=True))
            config = _experiment(sweep, values, seed)
            yield SweepPoint(values=values, config=config)


def _experiment(
    sweep: SweepFile, values: Mapping[str, Value], seed: int
) -> ExperimentConfig:
    preset = values.get(METHOD, sweep.base)
    changes: list[tuple[str, Any]] = [*sweep.settings.items()]
    changes += [(path, value) for path, value in values.items() if path != METHOD]
    # The seed of a sweep is its own.
    changes.append(("run.seed", seed))
    return with_overrides(preset_config(str(preset)), changes)


def _plain(value: float) -> float | int:
    """Return a value with the digits that a person would write, as an int where whole."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def _words_of(error: ValidationError) -> str:
    """Return one problem: where, and what is allowed."""
    found = error.errors()
    # Of the ways to write an axis, the one that came furthest tells most.
    first = next((one for one in found if one["type"] == "value_error"), found[0])
    where = ".".join(str(part) for part in _named(first["loc"])) or "the sweep"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}"


def _named(places: Sequence[Any]) -> Iterator[Any]:
    """Yield the keys of a place, without pydantic's names of the alternatives."""
    for place in places:
        text = str(place)
        if not text.startswith(("list[", "constrained", "Spaced", "Random", "int")):
            yield place
