"""Sweeps: many experiments from one file, that differ along axes and in their seeds."""

import itertools
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from metalab.core.errors import UserError
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import ConfigError, parse_assignment, with_overrides

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
        num: How many values, the ends included; none where a search chooses them.
    """

    linear: tuple[float, float] | None = None
    log: tuple[float, float] | None = None
    num: Annotated[int, Field(ge=2, le=MOST_RUNS)] | None = None

    @model_validator(mode="after")
    def _one_scale(self) -> "Spaced":
        if (self.linear is None) == (self.log is None):
            raise ValueError("has both or neither of linear and log; allowed: one")
        if self.log is not None and min(self.log) <= 0:
            raise ValueError(f"log is {list(self.log)}; allowed: ends above 0")
        return self

    def values(self) -> list[Value]:
        """Return the values, in order."""
        assert self.num is not None, "SweepFile sees to it"
        if self.log is not None:
            spaced = np.geomspace(*self.log, self.num)
        else:
            assert self.linear is not None, "one of them is there"
            spaced = np.linspace(*self.linear, self.num)
        return [plain_number(value) for value in spaced.tolist()]


class Random(_Strict):
    """Values drawn at random, the same for every run of the file.

    Attributes:
        uniform: Ends of an even distribution.
        log_uniform: Ends of one that is even in the logarithm.
        num: How many values; none where a search chooses them.
        seed: Fixes them.
    """

    uniform: tuple[float, float] | None = None
    log_uniform: tuple[float, float] | None = None
    num: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None
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
        assert self.num is not None, "SweepFile sees to it"
        rng = np.random.default_rng(self.seed)
        if self.log_uniform is not None:
            low, high = (math.log(end) for end in self.log_uniform)
            return [plain_number(math.exp(v)) for v in rng.uniform(low, high, self.num)]
        assert self.uniform is not None, "one of them is there"
        return [plain_number(v) for v in rng.uniform(*self.uniform, self.num)]


Axis = list[Value] | Spaced | Random


class Search(_Strict):
    """Trials that are chosen by what the earlier ones gave.

    They are asked for in batches of a fixed size, and every batch is waited for: the same
    file gives the same runs on one core and on many.

    Attributes:
        sampler: Of Optuna: who chooses.
        num: Trials in all.
        batch: Trials that are chosen at once, knowing all earlier batches.
        objective: What is to be low, as a mean over the seeds: the held-out loss of the
            last evaluation, or of the best one.
        seed: Fixes the choice.
        pruner: Of Optuna: who gives up a trial that lags behind at a rung; None for nobody.
        rungs: Shares of the outer steps at which trials are compared.
    """

    sampler: Literal["tpe", "random", "qmc"] = "tpe"
    num: Annotated[int, Field(ge=1, le=MOST_RUNS)]
    batch: Annotated[int, Field(ge=1, le=1_000)] = 4
    objective: Literal["held-out loss", "best held-out loss"] = "held-out loss"
    seed: Annotated[int, Field(ge=0)] = 0
    pruner: Literal["median", "successive-halving"] | None = None
    rungs: list[Annotated[float, Field(gt=0, lt=1)]] = []

    @model_validator(mode="after")
    def _rungs_for_pruner(self) -> "Search":
        if (self.pruner is None) != (not self.rungs):
            raise ValueError(
                f"pruner is {self.pruner or 'left out'} and rungs are {self.rungs}; allowed: a "
                "pruner with rungs, such as [0.25, 0.5], or neither"
            )
        if sorted(set(self.rungs)) != self.rungs:
            raise ValueError(f"rungs are {self.rungs}; allowed: rising shares")
        return self


class SweepFile(_Strict):
    """The content of a sweep file.

    Attributes:
        name: Of the folder that its runs are kept in.
        base: A preset, whose settings every run has that no axis changes; not beside an
            axis of methods.
        settings: Dotted paths and values that every run has.
        axes: Dotted paths, or "method", and their values: every combination is run.
        seeds: Training seeds of each combination, or how many, from 0.
        evaluation: Settings of every experiment's held-out tasks, by name alone.
        retries: Further attempts at a run whose process died.
        search: Chooses values along the axes; None tries every combination.
    """

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w .+-]+$")]
    base: str | None = None
    settings: dict[str, Value] = {}
    axes: dict[str, Axis] = {}
    seeds: (
        Annotated[list[int], Field(min_length=1)]
        | Annotated[int, Field(ge=1, le=MOST_RUNS)]
    ) = 1
    evaluation: dict[str, Value] = {}
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    search: Search | None = None
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
            if not isinstance(axis, list) and (axis.num is None) != bool(self.search):
                allowed = (
                    "none: the search chooses" if self.search else "how many values"
                )
                raise ValueError(f"axes.{path} has num {axis.num}; allowed: {allowed}")
        twice = sorted(
            f"evaluation.{name}"
            for name in self.evaluation
            if f"evaluation.{name}" in {**self.settings, **self.axes}
        )
        if twice:
            raise ValueError(f"{twice[0]} is set twice; allowed: in one place")
        if self.search is not None and not self.axes:
            raise ValueError("search has no axes to choose along; allowed: one or more")
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
        """Number of runs of the sweep; of a search, at most."""
        if self.search is not None:
            return self.search.num * len(self.seed_values)
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
    return sweep_of(content, path)


def sweep_of(content: Mapping[str, Any], path: Path | str) -> SweepFile:
    """Return the sweep of plain values.

    Args:
        content: As a sweep file has it.
        path: What messages name.

    Raises:
        SweepError: Something in it is not allowed.
    """
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

    Those of a search are not known beforehand.

    Raises:
        ConfigError: A path or a value is none of an experiment's.
    """
    axes = sweep.axis_values()
    for seed in sweep.seed_values:
        for chosen in itertools.product(*axes.values()):
            values = dict(zip(axes, chosen, strict=True))
            config = experiment_at(sweep, values, seed)
            yield SweepPoint(values=values, config=config)


def axis_of(path: str, text: str) -> Axis:
    """Return an axis from how a person writes it in one line.

    Args:
        path: The setting, or `METHOD`.
        text: "log:0.001:0.1:5", that is scale, ends and how many; "linear:…",
            "uniform:…" and "log_uniform:…" alike, without how many for a search; or
            values, "1, 2, 5", of which one that is a list stands in brackets.

    Raises:
        SweepError: It is none of these.
    """
    try:
        return _AXIS.validate_python(_axis_content(path, text))
    except ValidationError as error:
        told = _words_of(error).split(": ", 1)[-1]
        raise SweepError(f"{path} has {text!r}: {told}") from error
    except ConfigError as error:
        raise SweepError(str(error)) from error
    except ValueError as error:
        raise SweepError(f"{path} has {text!r}; allowed: {_SYNTAX}") from error


def _axis_content(path: str, text: str) -> Any:
    scale, *numbers = text.strip().split(":")
    if scale not in (*Spaced.model_fields, *Random.model_fields) or not numbers:
        return [parse_assignment(f"{path}={part}")[1] for part in _parts(text)]
    low, high, *num = numbers
    if len(num) > 1:
        raise ValueError("more than three numbers")
    count = {"num": int(num[0])} if num else {}
    return {scale: [float(low), float(high)], **count}


def axis_text(axis: Axis) -> str:
    """Return an axis as a person writes it in one line."""
    if isinstance(axis, list):
        return ", ".join(_value_text(value) for value in axis)
    content = axis.model_dump(exclude_none=True)
    scale = next(name for name in content if name not in ("num", "seed"))
    numbers = [f"{end:g}" for end in content[scale]]
    return ":".join([scale, *numbers, *([str(axis.num)] if axis.num else [])])


def _value_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _parts(text: str) -> list[str]:
    """Return what stands between commas that are in no brackets."""
    parts = re.findall(r"(?:\[[^\]]*\]|[^,\[])+", text)
    found = [part.strip() for part in parts if part.strip()]
    if not found:
        raise ValueError("there is nothing")
    return found


_AXIS: TypeAdapter[Axis] = TypeAdapter(Axis)
_SYNTAX = "log:0.001:0.1:5, linear:…, uniform:…, log_uniform:…; or values, 1, 2, 5"


def first_values(sweep: SweepFile) -> dict[str, Value]:
    """Return one value along each axis: the first, or the lower end."""
    return {
        path: axis[0] if isinstance(axis, list) else plain_number(min(ends_of(axis)))
        for path, axis in sweep.axes.items()
    }


def ends_of(axis: Spaced | Random) -> tuple[float, float]:
    """Return the ends of an axis, as they are written."""
    if isinstance(axis, Spaced):
        ends = axis.linear or axis.log
    else:
        ends = axis.uniform or axis.log_uniform
    assert ends is not None, "one of them is there"
    return ends


def experiment_at(
    sweep: SweepFile, values: Mapping[str, Value], seed: int
) -> ExperimentConfig:
    """Return the experiment of a sweep with some value along each axis.

    Raises:
        ConfigError: A path or a value is none of an experiment's.
    """
    preset = values.get(METHOD, sweep.base)
    changes: list[tuple[str, Any]] = [*sweep.settings.items()]
    changes += [(f"evaluation.{name}", v) for name, v in sweep.evaluation.items()]
    changes += [(path, value) for path, value in values.items() if path != METHOD]
    # The seed of a sweep is its own.
    changes.append(("run.seed", seed))
    return with_overrides(preset_config(str(preset)), changes)


def plain_number(value: float) -> float | int:
    """Return a value with the digits that a person would write, as an int where whole."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def to_toml(sweep: SweepFile) -> str:
    """Return a sweep as the text of a file, without what is a default."""
    return tomli_w.dumps(sweep.model_dump(exclude_defaults=True, exclude_none=True))


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
