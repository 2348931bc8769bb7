"""Parts of the picture of a bilevel problem. Imports neither Qt nor torch.

Notation as in `core.meta.base`: phi are the meta-parameters, theta the inner parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from metalab.core.hypergradient.route import Route
from metalab.engine.events import METRICS

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory


class PartKey(Enum):
    """A part of the picture."""

    OUTER_LOOP = "outer loop"
    TASKS = "task family"
    META = "meta-parameters"
    BATCH = "meta-batch"
    SUPPORT = "support set"
    NETWORK = "network"
    QUERY = "query set"
    INNER_LOOP = "inner loop"
    START = "start"
    STEP = "inner step"
    END = "adapted parameters"
    LOSS = "outer loss"
    SOLVE = "linear system"
    HYPERGRADIENT = "hypergradient"
    UPDATE = "outer step"


GROUPS: Mapping[PartKey, str] = {
    PartKey.OUTER_LOOP: "outer",
    PartKey.TASKS: "tasks",
    PartKey.META: "meta",
    PartKey.BATCH: "outer",
    PartKey.SUPPORT: "tasks",
    PartKey.NETWORK: "model",
    PartKey.QUERY: "tasks",
    PartKey.INNER_LOOP: "inner",
    PartKey.START: "meta",
    PartKey.STEP: "inner",
    PartKey.END: "inner",
    PartKey.LOSS: "outer",
    PartKey.SOLVE: "hypergradient",
    PartKey.HYPERGRADIENT: "hypergradient",
    PartKey.UPDATE: "outer",
}
"""The group of the form that sets each part."""


class Flow(Enum):
    """What an arrow carries."""

    DATA = "points of a task"
    FORWARD = "parameters, as they are adapted"
    LEARNED = "meta-parameters, where they enter"
    BACK = "the hypergradient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One arrow of the picture.

    Attributes:
        source: Where it begins.
        target: Where its head is.
        flow: What it carries.
        direct: Whether it passes outside what lies between: not through the inner loop.
        straight: Whether what it carries passes unchanged, as through an identity.
    """

    source: PartKey
    target: PartKey
    flow: Flow
    direct: bool = False
    straight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The ways in which what is meta-learned enters the outer loss.

    Attributes:
        start: As the start of the inner loop.
        rates: In the steps of the inner loop.
        inner_loss: In the inner loss.
        prediction: Directly in the prediction.
    """

    start: bool
    rates: bool
    inner_loss: bool
    prediction: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """What the catalog calls the parts of the experiment."""

    family: str
    model: str
    meta: str
    inner: str
    estimator: str
    optimizer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers of the configuration, as they are at one outer step.

    Attributes:
        num_steps: Planned outer steps.
        num_tasks: Tasks of a meta-batch.
        num_shots: Points of a support set.
        num_queries: Points of a query set.
        num_inner_steps: K.
        inner_lr: None where the inner loop has none.
        outer_lr: As schedule and warm-up have it.
        num_meta: Meta-parameters.
        num_adapted: Parameters that a task adapts.
        num_network: Parameters of the network.
    """

    num_steps: int
    num_tasks: int
    num_shots: int
    num_queries: int
    num_inner_steps: int
    inner_lr: float | None
    outer_lr: float
    num_meta: int
    num_adapted: int
    num_network: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The bilevel problem of a configuration at one outer step.

    Attributes:
        route: Which way the hypergradient comes back.
        formula: The hypergradient of one task, as `HypergradientEstimator.formula`.
        entries: Where what is meta-learned enters.
        moves: Whether the outer loop changes the meta-parameters at all.
        solved: Whether the inner problem is solved at once.
        zero_start: Whether every task starts from zero.
        regularised: Whether the inner loss has a regulariser.
        every_step_counts: Whether the outer loss counts the inner steps before the last.
        likelihood: Whether the outer loss is another than the squared error.
        inner_formula: A step of the inner loop, in symbols.
        inner_learns: What the inner loop learns about its own steps; "" for nothing.
        caveat: What jumps of the inner loss mean for the estimator; "" for nothing.
        titles: What the catalog calls the parts.
        settings: Numbers of the configuration.
        parts: What is drawn.
        learned: Parts in which something meta-learned stands.
        idle: Parts that do not act on the meta-parameters: they are only looked at.
        arrows: What leads where.
    """

    route: Route
    formula: str
    entries: Entries
    moves: bool
    solved: bool
    zero_start: bool
    regularised: bool
    every_step_counts: bool
    likelihood: bool
    inner_formula: str
    inner_learns: str
    caveat: str
    titles: Titles
    settings: Settings
    parts: frozenset[PartKey] = frozenset()
    learned: frozenset[PartKey] = frozenset()
    idle: frozenset[PartKey] = frozenset()
    arrows: tuple[Arrow, ...] = ()


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line in a part.

    Attributes:
        label: What it says, or what the value is.
        value: A number that may change; "" for none.
    """

    label: str
    value: str = ""

    @property
    def text(self) -> str:
        """The whole line."""
        return f"{self.label} {self.value}" if self.value else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class PartText:
    """What stands in a part.

    Attributes:
        title: Its name.
        value: What is to be seen from afar: a number, or a formula; "" for none.
        lines: Below, the most important first: the last are left out where there is no
            room.
        tip: One plain sentence.
    """

    title: str
    value: str = ""
    lines: tuple[TextLine, ...] = ()
    tip: str

    @property
    def plain(self) -> str:
        """The text in one line, for screen readers."""
        said = ", ".join(
            filter(None, (self.value, *(line.text for line in self.lines)))
        )
        return f"{self.title}: {said}" if said else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the newest outer step of a run was like.

    Attributes:
        step: Its number, from 1; 0 before the first.
        values: By name of the metric; empty before the first step.
    """

    step: int = 0
    values: Mapping[str, float] = field(default_factory=dict[str, float])

    def value(self, name: str) -> float | None:
        """Return a metric, or None where it is not known yet."""
        return self.values.get(name)


def numbers_of(history: "RunHistory | None") -> Numbers:
    """Return the numbers of the newest outer step of a run."""
    if history is None or len(history.steps) == 0:
        return Numbers()
    values = {info.name: float(history.metrics[info.name][-1]) for info in METRICS}
    return Numbers(step=int(history.steps[-1]), values=values)
