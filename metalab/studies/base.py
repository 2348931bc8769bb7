"""Description of a study, as data: the runs of a published experiment, and its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from metalab.core.errors import UserError
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.drawing import Drawing
from metalab.figures.sizes import FigureSize
from metalab.studies.series import Key, Results, Series

Change = tuple[str, Any]
"""Dotted path of a setting and its value, as `metalab train --set` takes them."""


class StudyError(UserError):
    """A study that cannot be run as asked; the message says what would be right."""


class Grade(Enum):
    """How we know a published number. Never print one without it."""

    CODE = "in a repository"
    FIGURE = "read off the figure"
    TABLE = "printed in the paper"
    DERIVED = "derived"
    MEMORY = "as remembered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published number, or the range that a figure was read as.

    Attributes:
        low: The number, or the lower end.
        high: The number, or the upper end.
        half_width: Of the published 95 % interval; 0 where none is known.
        grade: How we know it.
    """

    low: float
    high: float
    grade: Grade
    half_width: float = 0.0

    def words(self) -> str:
        """Return the number with its grade, such as "0.5 to 0.7 (read off the figure)"."""
        text = f"{self.low:g}"
        if self.high != self.low:
            text += f" to {self.high:g}"
        if self.half_width > 0:
            text += f" ± {self.half_width:g}"
        return f"{text} ({self.grade.value})"


def point(value: float, grade: Grade, *, half_width: float = 0.0) -> Published:
    """Return one published number."""
    return Published(low=value, high=value, half_width=half_width, grade=grade)


def read_off(low: float, high: float) -> Published:
    """Return what a published figure was read as."""
    return Published(low=low, high=high, grade=Grade.FIGURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way to evaluate a trained method on fresh tasks.

    Attributes:
        name: Unique in its method, such as "5 shots".
        num_tasks: Fresh tasks.
        num_shots: Support points of each.
        num_queries: Query points of each.
        num_inner_steps: K', inner steps that are looked at.
        query_inputs: "random", or "grid": evenly spaced.
        query_targets: "noisy", as the support set's are, or "noise-free".
        inner_lr: Step size of the inner loop; None takes that of training.
    """

    name: str
    num_tasks: int
    num_shots: int
    num_queries: int
    num_inner_steps: int
    query_inputs: str = "random"
    query_targets: str = "noisy"
    inner_lr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What is trained: a preset with changes, and how the result is evaluated.

    Attributes:
        name: Unique in its study; part of file names.
        title: For tables and legends.
        preset: Where the settings come from.
        changes: Settings that differ from the preset's, in order.
        protocols: How it is evaluated.
    """

    name: str
    title: str
    preset: str
    changes: tuple[Change, ...]
    protocols: tuple[Protocol, ...]

    def settings(self, study: str, *, share: float = 1.0) -> tuple[Change, ...]:
        """Return every change to the preset, the name and a shortened run included."""
        changes = [("name", f"{study}-{self.name}"), *self.changes]
        if share < 1.0:
            planned = with_overrides(preset_config(self.preset), changes)
            shorter = max(1, round(share * planned.outer.num_steps))
            changes.append(("outer.num_steps", shorter))
        return tuple(changes)

    def config(self, study: str, *, seed: int, share: float = 1.0) -> ExperimentConfig:
        """Return the experiment of one seed.

        Raises:
            ConfigError: The study asks for what the catalog does not have.
        """
        changes = [*self.settings(study, share=share), ("run.seed", seed)]
        return with_overrides(preset_config(self.preset), changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyLine:
    """One row of a study's table.

    Attributes:
        method: Name of a method.
        protocol: Name of one of its protocols.
        at: The point of the series, such as the number of inner steps.
        setting: Protocol and point in words, such as "5 shots, 1 step".
        published: The paper's number; None where none is known.
        tolerance: Ends of the range in which ours holds; None where ours is only shown.
        check: Names of the science checks that the tolerance is about.
    """

    method: str
    protocol: str
    at: float
    setting: str
    published: Published | None = None
    tolerance: tuple[float, float] | None = None
    check: str = ""

    @property
    def key(self) -> Key:
        """Method and protocol."""
        return (self.method, self.protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of a check.

    Attributes:
        holds: Whether it does.
        words: What was found, with numbers.
    """

    holds: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A statement about several numbers.

    Attributes:
        name: Of the science check, such as "M3".
        claim: What should hold, with its tolerance.
        needs: Methods and protocols that it looks at.
        judge: Says whether it does.
    """

    name: str
    claim: str
    needs: tuple[Key, ...]
    judge: Callable[[Results], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """A published row that is not run.

    Attributes:
        title: Which one.
        published: Its number.
        reason: Why not.
    """

    title: str
    published: Published | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFigure:
    """One figure of a study.

    Attributes:
        name: Of its files, without suffix.
        title: One line.
        draw: Returns the figure's data and how to draw them.
    """

    name: str
    title: str
    draw: Callable[["Study", Results, FigureSize], Drawing]


def measure_nothing(seed: int) -> Mapping[Key, Series]:
    """Return no measurement: everything comes from runs."""
    del seed
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A published table or figure.

    Attributes:
        name: Unique, for the command line.
        title: One line.
        source: Citation.
        quantity: What every number is, with its unit.
        methods: What is trained.
        lines: The table.
        checks: Statements about several of its numbers.
        differences: Why ours may differ from the published numbers; one sentence each.
        missing: Published rows that are not run.
        figures: What is drawn.
        run_figures: Method and name of a figure of its first run.
        measure: Measurements of one seed that need no training.
        titles: Titles of what `measure` measures, by name.
    """

    name: str
    title: str
    source: str
    quantity: str
    methods: tuple[Method, ...] = ()
    lines: tuple[StudyLine, ...]
    checks: tuple[Check, ...] = ()
    differences: tuple[str, ...]
    missing: tuple[MissingRow, ...] = ()
    figures: tuple[StudyFigure, ...]
    run_figures: tuple[tuple[str, str], ...] = ()
    measure: Callable[[int], Mapping[Key, Series]] = measure_nothing
    titles: tuple[tuple[str, str], ...] = ()

    def title_of(self, method: str) -> str:
        """Return how a method is written in tables and legends."""
        return {**{m.name: m.title for m in self.methods}, **dict(self.titles)}[method]

    def outer_steps(self, *, num_seeds: int, share: float = 1.0) -> int:
        """Return how many outer steps all runs make together."""
        return num_seeds * sum(
            method.config(self.name, seed=0, share=share).outer.num_steps
            for method in self.methods
        )
