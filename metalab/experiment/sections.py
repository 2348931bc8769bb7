"""The sections of an experiment's configuration."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from metalab.catalog import slots
from metalab.catalog.components import ComponentConfig, Section, setting
from metalab.core.objective import OBJECTIVES
from metalab.core.outer import SCHEDULES
from metalab.core.tasks import QUERY_INPUTS, QUERY_TARGETS

if TYPE_CHECKING:
    FamilyConfig = ModelConfig = LossConfig = QueryLossConfig = ComponentConfig
    MetaConfig = InnerConfig = HypergradientConfig = ComponentConfig
    OptimizerConfig = ComponentConfig
else:
    # Made from what the catalog discovers; for the type checker, any component.
    FamilyConfig = slots.TASK_FAMILIES.field_type()
    ModelConfig = slots.MODELS.field_type()
    LossConfig = slots.LOSSES.field_type()
    QueryLossConfig = slots.QUERY_LOSSES.field_type()
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


class EvaluationConfig(Section):
    """The held-out tasks: fixed by the seed, the same for every method."""

    every: Annotated[
        int,
        setting(
            label="Every",
            help="Outer steps between held-out evaluations; each also keeps a "
            "snapshot of the meta-parameters. The first ones come sooner.",
            unit="steps",
            low=1,
            high=1_000_000,
            synonyms=(
                "evaluation interval",
                "snapshot interval",
                "checkpoint interval",
                "validation",
            ),
        ),
    ] = 500
    num_tasks: Annotated[
        int,
        setting(
            label="Held-out tasks",
            help="Tasks that are never trained on.",
            unit="tasks",
            low=16,
            high=10_000,
            synonyms=("test tasks", "validation tasks", "number of tasks"),
        ),
    ] = 100
    num_shots: Annotated[
        int,
        setting(
            label="Held-out shots",
            help="Support points of each held-out task; 0 takes as many as training.",
            unit="shots",
            low=0,
            high=10_000,
            advanced=True,
            synonyms=("test shots", "number of shots"),
            at_zero="as training",
        ),
    ] = 0
    num_queries: Annotated[
        int,
        setting(
            label="Held-out queries",
            help="Query points of each held-out task.",
            unit="points",
            low=1,
            high=10_000,
            advanced=True,
            synonyms=("test points", "number of queries"),
        ),
    ] = 100
    query_inputs: Annotated[
        str,
        setting(
            label="Held-out query inputs",
            help="random: drawn like the support set; grid: evenly spaced (CAVIA "
            "evaluates on 100 points, Reptile's demonstration on 50).",
            choices=QUERY_INPUTS,
            advanced=True,
        ),
    ] = "random"
    query_targets: Annotated[
        str,
        setting(
            label="Held-out query targets",
            help="noisy, as the support set's are, or noise-free.",
            choices=QUERY_TARGETS,
            advanced=True,
        ),
    ] = "noisy"
    num_inner_steps: Annotated[
        int,
        setting(
            label="Inner steps K'",
            help="Inner steps that are shown and evaluated; may exceed training's K.",
            unit="steps",
            low=1,
            high=1000,
            synonyms=(
                "number of inner steps",
                "adaptation steps",
                "test steps",
                "gradient steps",
            ),
        ),
    ] = 10


class RunConfig(Section):
    """Computation of the run: seed, device, precision, provider, threads."""

    seed: Annotated[
        int,
        setting(
            label="Seed",
            help="Fixes the initial meta-parameters and every task.",
            low=0,
            high=2**31 - 1,
            synonyms=("random state", "reproducibility"),
        ),
    ] = 0
    device: Annotated[
        str,
        setting(
            label="Device",
            help="auto takes cuda or mps where torch finds one, else cpu.",
            choices=("auto", "cpu", "cuda", "mps"),
            synonyms=("GPU", "hardware"),
        ),
    ] = "auto"
    precision: Annotated[
        str,
        setting(
            label="Precision",
            help="Floating-point type of every tensor; mps has no float64.",
            choices=("float32", "float64"),
            advanced=True,
            synonyms=("dtype", "floating point", "double", "single"),
        ),
    ] = "float32"
    provider: Annotated[
        str,
        setting(
            label="Provider",
            help="What computes the outer steps. auto: compiled kernels where there are "
            "any for the experiment, else automatic differentiation, which computes "
            "everything.",
            choices=("auto", "fused", "autodiff"),
            advanced=True,
            synonyms=("backend", "kernels", "numba"),
        ),
    ] = "auto"
    metrics: Annotated[
        str,
        setting(
            label="Metrics",
            help="all: each outer step also measures the query loss before adaptation "
            "and the support loss after it, which no update needs and which take about "
            "an eighth of the time at K = 1; essential: it leaves these two out.",
            choices=("all", "essential"),
            advanced=True,
        ),
    ] = "all"
    compile: Annotated[
        str,
        setting(
            label="torch.compile",
            help="on: where automatic differentiation computes the run, torch compiles "
            "the outer step into one graph, which makes it about twice as fast. It takes "
            "ten to thirty seconds before the first step and after an edit, and a C++ "
            "compiler on the CPU; without one the run is computed as with off.",
            choices=("off", "on"),
            advanced=True,
        ),
    ] = "off"
    num_threads: Annotated[
        int,
        setting(
            label="Threads",
            help="CPU threads of one run. Beside the open window one is fastest; the "
            "compiled kernels share a meta-batch among them.",
            unit="threads",
            low=1,
            high=256,
            advanced=True,
            synonyms=("number of threads", "CPU cores"),
        ),
    ] = 1


class DiagnosticsConfig(Section):
    """Measurements beside the metrics, now and then; they change no other number."""

    every: Annotated[
        int,
        setting(
            label="Diagnose every",
            help="Outer steps between two measurements of cosines, curvature and "
            "distances; 0 measures nothing.",
            unit="outer steps",
            low=0,
            high=10**6,
            synonyms=("diagnostics interval",),
            at_zero="off",
        ),
    ] = 0
    num_power_iterations: Annotated[
        int,
        setting(
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
