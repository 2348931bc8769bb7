"""The sections of an experiment's configuration."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from metalab.catalog import slots
from metalab.catalog.components import ComponentConfig, Section, setting
from metalab.core.objective import OBJECTIVES
from metalab.core.outer import SCHEDULES

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


class TasksConfig(Section):
    """Which tasks, and how many points of each."""

    family: FamilyConfig = Field(
        default_factory=lambda: slots.TASK_FAMILIES.default("sinusoid")
    )
    num_shots: Annotated[
        int,
        setting(
            label="Shots",
            help="Support points of each training task.",
            unit="shots",
            low=1,
            high=10_000,
            synonyms=("number of shots", "support points", "k-shot", "training points"),
        ),
    ] = 10
    num_shots_min: Annotated[
        int,
        setting(
            label="Fewest shots",
            help="Each outer step draws its number of shots evenly between this and "
            "Shots, the same for all its tasks; 0 always takes Shots. Held-out tasks "
            "have a fixed number.",
            unit="shots",
            low=0,
            high=10_000,
            advanced=True,
            synonyms=("random shots", "variable shots", "number of shots"),
            at_zero="as Shots",
        ),
    ] = 0
    num_queries: Annotated[
        int,
        setting(
            label="Queries",
            help="Query points of each training task; the outer loss is measured on "
            "them.",
            unit="points",
            low=1,
            high=10_000,
            synonyms=("number of queries", "query points", "test points"),
        ),
    ] = 10
    num_training_tasks: Annotated[
        int,
        setting(
            label="Training tasks",
            help="Different tasks to train on, drawn once; each outer step takes its "
            "tasks from them at random, with points of its own. 0 draws new tasks at "
            "every outer step.",
            unit="tasks",
            low=0,
            high=1_000_000,
            advanced=True,
            synonyms=(
                "finite tasks",
                "number of tasks",
                "task set",
                "meta-overfitting",
            ),
            at_zero="unlimited",
        ),
    ] = 0

    @property
    def draws_num_shots(self) -> bool:
        """Whether outer steps differ in their number of support points."""
        return 0 < self.num_shots_min < self.num_shots


class OuterConfig(Section):
    """How the meta-parameters move."""

    optimizer: OptimizerConfig = Field(
        default_factory=lambda: slots.OUTER_OPTIMIZERS.default("adam")
    )
    num_steps: Annotated[
        int,
        setting(
            label="Outer steps",
            help="Updates of the meta-parameters.",
            unit="steps",
            low=1,
            high=1_000_000_000,
            synonyms=(
                "epochs",
                "iterations",
                "number of steps",
                "number of outer steps",
                "training length",
                "updates",
            ),
        ),
    ] = 10_000
    num_tasks: Annotated[
        int,
        setting(
            label="Meta-batch",
            help="Tasks in each outer step; the hypergradient is their mean.",
            unit="tasks",
            low=1,
            high=100_000,
            synonyms=(
                "meta-batch size",
                "number of tasks",
                "tasks per batch",
                "batch size",
            ),
        ),
    ] = 25
    schedule: Annotated[
        str,
        setting(
            label="Schedule",
            help="How the outer lr changes over the outer steps.",
            choices=SCHEDULES,
            synonyms=(
                "learning rate schedule",
                "lr decay",
                "annealing",
                "cosine annealing",
            ),
        ),
    ] = "constant"
    schedule_floor: Annotated[
        float,
        setting(
            label="Schedule's floor",
            help="Where a linear or cosine schedule ends, as a share of the outer lr; 0 "
            "ends at no step at all (the code of MAML++: 0.01).",
            low=0.0,
            high=1.0,
            advanced=True,
            synonyms=("minimum learning rate", "final learning rate"),
        ),
    ] = 0.0
    warmup_steps: Annotated[
        int,
        setting(
            label="Warm-up",
            help="Outer steps at the start over which the outer lr also rises linearly; "
            "0 does not warm up.",
            unit="steps",
            low=0,
            high=1_000_000_000,
            advanced=True,
            synonyms=("warmup", "learning rate warm-up"),
            at_zero="off",
        ),
    ] = 0
    loss: Annotated[
        str,
        setting(
            label="Outer loss",
            help="final: the query loss after the last inner step; multi-step: a sum "
            "over all inner steps, annealed to the last (MAML++).",
            choices=OBJECTIVES,
            advanced=True,
            synonyms=("meta-loss", "objective", "MSL"),
        ),
    ] = "final"
    annealing_steps: Annotated[
        int,
        setting(
            label="Annealing",
            help="Outer steps after which the multi-step loss counts the last inner "
            "step alone.",
            unit="steps",
            low=1,
            high=1_000_000_000,
            advanced=True,
            synonyms=("multi-step loss annealing",),
        ),
    ] = 5_000
    first_order_steps: Annotated[
        int,
        setting(
            label="First-order for",
            help="Outer steps at the start that use the first-order hypergradient.",
            unit="steps",
            low=0,
            high=1_000_000_000,
            advanced=True,
            synonyms=("derivative-order annealing",),
            at_zero="off",
        ),
    ] = 0
    clip_norm: Annotated[
        float,
        setting(
            label="Clip norm",
            help="Largest norm of the hypergradient; 0 does not clip.",
            low=0.0,
            high=1e6,
            advanced=True,
            synonyms=("gradient clipping", "clip by norm", "max norm"),
            at_zero="off",
        ),
    ] = 0.0
    inner_ramp_steps: Annotated[
        int,
        setting(
            label="Inner ramp",
            help="Outer steps at the start over which training's inner lr and K move to "
            "their set values; evaluation always uses the set values. 0 has no ramp.",
            unit="steps",
            low=0,
            high=1_000_000_000,
            advanced=True,
            at_zero="off",
        ),
    ] = 0
    inner_lr_start_factor: Annotated[
        float,
        setting(
            label="Inner lr starts at",
            help="What training's inner lr is multiplied by at the first outer step of "
            "the inner ramp; it moves geometrically. Evaluation uses the set inner lr.",
            low=0.0,
            high=100.0,
            exclusive=True,
            log=True,
            advanced=True,
        ),
    ] = 1.0
    num_inner_steps_start: Annotated[
        int,
        setting(
            label="Inner steps start at",
            help="Training's K at the first outer step of the inner ramp; it moves "
            "linearly. 0 starts at the set K, which evaluation always uses.",
            unit="steps",
            low=0,
            high=1000,
            advanced=True,
            at_zero="set K",
        ),
    ] = 0
