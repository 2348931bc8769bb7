"""The sections of an experiment that say how it is looked at and computed."""

from typing import Annotated

from metalab.catalog.components import Section, setting
from metalab.core.tasks import QUERY_INPUTS, QUERY_TARGETS


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
    """How the run is computed."""

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
    """What is measured beside the metrics, now and then; it changes no other number."""

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
