"""The sections of an experiment's configuration."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from metalab.catalog import slots
from metalab.catalog.components import ComponentConfig, Section, Setting
from metalab.core.objective import OBJECTIVES
from metalab.core.outer import SCHEDULES
from metalab.core.spec import OptionSpec

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


class DiagnosticsConfig(Section):
    """What is measured beside the metrics, now and then; it changes no other number."""

    every: Annotated[
        int,
        _spec(
            label="Diagnose every",
            help="Outer steps between two measurements of cosines, curvature and "
            "distances; 0 measures nothing.",
            unit="outer steps",
            low=0,
            high=10**6,
        ),
    ] = 0
    num_power_iterations: Annotated[
        int,
        _spec(
            label="Power iterations",
            help="Hessian-vector products for the largest eigenvalue of the inner loss.",
            unit="products",
            low=1,
            high=10_000,
            advanced=True,
        ),
    ] = 20

    def due(self, step: int) -> bool:
        """Return whether there is a measurement after `step` outer steps."""
        return self.every > 0 and step % self.every == 0
