"""The configuration of an experiment: one model for form, file, command line, sweeps."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from metalab.catalog import slots
from metalab.catalog.components import ComponentConfig, Section, Setting
from metalab.catalog.recipes import Recipe, preset_settings, recipes
from metalab.core.objective import OBJECTIVES
from metalab.core.outer import SCHEDULES
from metalab.core.spec import OptionSpec
from metalab.engine.refusals import refusal

if TYPE_CHECKING:
    FamilyConfig = ModelConfig = MetaConfig = ComponentConfig
    InnerConfig = HypergradientConfig = OptimizerConfig = ComponentConfig
else:
    # Made from what the catalog discovers; for the type checker, any component.
    FamilyConfig = slots.TASK_FAMILIES.field_type()
    ModelConfig = slots.MODELS.field_type()
    MetaConfig = slots.META_PARAMETERISATIONS.field_type()
    InnerConfig = slots.INNER_LOOPS.field_type()
    HypergradientConfig = slots.HYPERGRADIENTS.field_type()
    OptimizerConfig = slots.OUTER_OPTIMIZERS.field_type()

CONFIG_VERSION = 1


def _spec(**entries: Any) -> Setting:
    return Setting(OptionSpec(**entries))


class TasksConfig(Section):
    """Which tasks, and how many points of each."""

    family: FamilyConfig = Field(
        default_factory=lambda: slots.TASK_FAMILIES.default("sinusoid")
    )
    num_shots: Annotated[
        int,
        _spec(
            label="Shots",
            help="Support points of each training task.",
            unit="shots",
            low=1,
            high=10_000,
        ),
    ] = 10
    num_queries: Annotated[
        int,
        _spec(
            label="Queries",
            help="Query points of each training task; the outer loss is measured on "
            "them.",
            unit="points",
            low=1,
            high=10_000,
        ),
    ] = 10


class OuterConfig(Section):
    """How the meta-parameters move."""

    optimizer: OptimizerConfig = Field(
        default_factory=lambda: slots.OUTER_OPTIMIZERS.default("adam")
    )
    num_steps: Annotated[
        int,
        _spec(
            label="Outer steps",
            help="Updates of the meta-parameters.",
            unit="steps",
            low=1,
            high=1_000_000_000,
        ),
    ] = 10_000
    num_tasks: Annotated[
        int,
        _spec(
            label="Meta-batch",
            help="Tasks in each outer step; the hypergradient is their mean.",
            unit="tasks",
            low=1,
            high=100_000,
        ),
    ] = 25
    schedule: Annotated[
        str,
        _spec(
            label="Schedule",
            help="How the outer lr changes over the outer steps.",
            choices=SCHEDULES,
        ),
    ] = "constant"
    loss: Annotated[
        str,
        _spec(
            label="Outer loss",
            help="final: the query loss after the last inner step; multi-step: a sum "
            "over all inner steps, annealed to the last (MAML++).",
            choices=OBJECTIVES,
            advanced=True,
        ),
    ] = "final"
    annealing_steps: Annotated[
        int,
        _spec(
            label="Annealing",
            help="Outer steps after which the multi-step loss counts the last inner "
            "step alone.",
            unit="steps",
            low=1,
            high=1_000_000_000,
            advanced=True,
        ),
    ] = 5_000
    first_order_steps: Annotated[
        int,
        _spec(
            label="First-order for",
            help="Outer steps at the start that use the first-order hypergradient.",
            unit="steps",
            low=0,
            high=1_000_000_000,
            advanced=True,
        ),
    ] = 0
    clip_norm: Annotated[
        float,
        _spec(
            label="Clip norm",
            help="Largest norm of the hypergradient; 0 does not clip.",
            low=0.0,
            high=1e6,
            advanced=True,
        ),
    ] = 0.0


class EvaluationConfig(Section):
    """The held-out tasks: fixed by the seed, the same for every method."""

    every: Annotated[
        int,
        _spec(
            label="Every",
            help="Outer steps between held-out evaluations; each also keeps a "
            "snapshot of the meta-parameters. The first ones come sooner.",
            unit="steps",
            low=1,
            high=1_000_000,
        ),
    ] = 100
    num_tasks: Annotated[
        int,
        _spec(
            label="Held-out tasks",
            help="Tasks that are never trained on.",
            unit="tasks",
            low=16,
            high=10_000,
        ),
    ] = 100
    num_shots: Annotated[
        int,
        _spec(
            label="Held-out shots",
            help="Support points of each held-out task; 0 takes as many as training.",
            unit="shots",
            low=0,
            high=10_000,
            advanced=True,
        ),
    ] = 0
    num_queries: Annotated[
        int,
        _spec(
            label="Held-out queries",
            help="Query points of each held-out task.",
            unit="points",
            low=1,
            high=10_000,
            advanced=True,
        ),
    ] = 100
    num_inner_steps: Annotated[
        int,
        _spec(
            label="Inner steps K'",
            help="Inner steps that are shown and evaluated; may exceed training's K.",
            unit="steps",
            low=1,
            high=1000,
        ),
    ] = 10


class RunConfig(Section):
    """How the run is computed."""

    seed: Annotated[
        int,
        _spec(
            label="Seed",
            help="Fixes the initial meta-parameters and every task.",
            low=0,
            high=2**31 - 1,
        ),
    ] = 0
    device: Annotated[
        str,
        _spec(
            label="Device",
            help="auto takes cuda or mps where torch finds one, else cpu.",
            choices=("auto", "cpu", "cuda", "mps"),
        ),
    ] = "auto"
    precision: Annotated[
        str,
        _spec(
            label="Precision",
            help="Floating-point type of every tensor; mps has no float64.",
            choices=("float32", "float64"),
            advanced=True,
        ),
    ] = "float32"
    num_threads: Annotated[
        int,
        _spec(
            label="Threads",
            help="CPU threads of one torch operation; one is fastest at these sizes.",
            unit="threads",
            low=1,
            high=256,
            advanced=True,
        ),
    ] = 1


class ExperimentConfig(Section):
    """Everything that determines a run.

    Immutable; the same value makes the form, the TOML file, `--set` on the command line
    and sweep axes.
    """

    version: Literal[1] = CONFIG_VERSION
    name: Annotated[
        str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f/\\]+$")
    ] = "experiment"
    tasks: TasksConfig = Field(default_factory=TasksConfig)
    model: ModelConfig = Field(default_factory=lambda: slots.MODELS.default("mlp"))
    meta: MetaConfig = Field(
        default_factory=lambda: slots.META_PARAMETERISATIONS.default("initialisation")
    )
    inner: InnerConfig = Field(
        default_factory=lambda: slots.INNER_LOOPS.default("gradient-descent")
    )
    hypergradient: HypergradientConfig = Field(
        default_factory=lambda: slots.HYPERGRADIENTS.default("unrolled")
    )
    outer: OuterConfig = Field(default_factory=OuterConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    run: RunConfig = Field(default_factory=RunConfig)

    @model_validator(mode="after")
    def _combination_makes_sense(self) -> Self:
        reason = refusal(self)
        if reason is not None:
            raise ValueError(reason)
        return self

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, as TOML and JSON hold them."""
        return self.model_dump(mode="json", serialize_as_any=True)

    def digest(self) -> str:
        """Return what identifies the experiment apart from its name and seed.

        Runs with equal digests are replicates.
        """
        content = self.to_mapping()
        del content["name"], content["run"]["seed"]
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def num_inner_steps(self) -> int:
        """K, the inner steps of training."""
        return self.inner.options()["num_inner_steps"]

    @property
    def num_shown_steps(self) -> int:
        """K' >= K, the inner steps that are evaluated and shown."""
        return max(self.evaluation.num_inner_steps, self.num_inner_steps)

    @property
    def eval_shots(self) -> int:
        """Support points of each held-out task."""
        return self.evaluation.num_shots or self.tasks.num_shots


def preset_config(name: str) -> ExperimentConfig:
    """Return the experiment of a preset.

    Raises:
        ValueError: No preset has that name.
    """
    return ExperimentConfig.model_validate(preset_settings(name))


def recipe_of(config: ExperimentConfig) -> Recipe | None:
    """Return the recipe whose parts the experiment has, or None for a new combination.

    Where one recipe extends another, the one that says more is meant.
    """
    content = config.to_mapping()
    fitting = [r for r in recipes().values() if _contains(content, r.parts)]
    return max(fitting, key=lambda recipe: _size(recipe.parts), default=None)


def _size(parts: Mapping[str, Any]) -> int:
    """Return how many settings nested parts name."""
    return sum(
        _size(value) if isinstance(value, Mapping) else 1 for value in parts.values()
    )


def _contains(content: Mapping[str, Any], parts: Mapping[str, Any]) -> bool:
    return all(
        _contains(content.get(key, {}), value)
        if isinstance(value, Mapping)
        else content.get(key) == value
        for key, value in parts.items()
    )
