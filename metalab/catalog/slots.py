"""The places of an experiment that hold a component."""

from metalab.catalog.registry import Registry
from metalab.core.hypergradient.base import HypergradientEstimator
from metalab.core.inner.base import InnerLoop
from metalab.core.loss.as_inner import AsInner
from metalab.core.loss.base import Loss
from metalab.core.meta.base import MetaParameterisation
from metalab.core.model.base import Model
from metalab.core.module_options import component_of, is_network
from metalab.core.outer import OuterOptimizer
from metalab.core.tasks import TaskDistribution

TASK_FAMILIES = Registry(
    slot="task family",
    base=TaskDistribution,
    package="metalab.tasks",
    label="Task family",
    help="The distribution that tasks are drawn from.",
    synonyms=("data set", "task distribution", "problem"),
    entry_point_group="metalab.tasks",
)
MODELS = Registry(
    slot="model",
    base=Model,
    package="metalab.core.model",
    label="Model",
    help="The network that adapts to each task.",
    synonyms=("learner", "architecture"),
    entry_point_group="metalab.models",
    adopts=is_network,
    adopted=component_of,
)
LOSSES = Registry(
    slot="loss",
    base=Loss,
    package="metalab.core.loss",
    label="Loss",
    help="What a prediction costs: the inner loop descends it on the support set, the "
    "outer loop on the query set.",
    synonyms=("loss function", "criterion", "objective"),
    entry_point_group="metalab.losses",
)
QUERY_LOSSES = Registry(
    slot="query loss",
    base=Loss,
    package="metalab.core.loss",
    label="Query loss",
    help="What a prediction costs on the query set, where the outer loop descends "
    "another loss than the inner loop.",
    synonyms=("outer loss function", "meta-objective", "validation loss"),
    entry_point_group="metalab.losses",
    besides=(AsInner,),
)
META_PARAMETERISATIONS = Registry(
    slot="what is meta-learned",
    base=MetaParameterisation,
    package="metalab.core.meta",
    label="Meta-learned",
    help="What the outer loop learns.",
    synonyms=("algorithm", "method", "meta-parameters"),
    entry_point_group="metalab.meta",
)
INNER_LOOPS = Registry(
    slot="inner loop",
    base=InnerLoop,
    package="metalab.core.inner",
    label="Inner loop",
    help="How one task adapts to its support set.",
    synonyms=(
        "algorithm",
        "inner optimizer",
        "inner optimiser",
        "adaptation",
        "fine-tuning",
    ),
    entry_point_group="metalab.inner",
    needed=("num_inner_steps",),
)
HYPERGRADIENTS = Registry(
    slot="hypergradient",
    base=HypergradientEstimator,
    package="metalab.core.hypergradient",
    label="Hypergradient",
    help="How the derivative of the outer loss in the meta-parameters is obtained.",
    synonyms=("algorithm", "meta-gradient", "estimator"),
    entry_point_group="metalab.hypergradients",
)
OUTER_OPTIMIZERS = Registry(
    slot="outer optimizer",
    base=OuterOptimizer,
    package="metalab.core.outer",
    label="Outer optimizer",
    help="How the meta-parameters move.",
    synonyms=("outer optimiser", "meta-optimizer"),
    entry_point_group="metalab.optimizers",
    needed=("outer_lr",),
)

SLOTS = {
    "tasks.family": TASK_FAMILIES,
    "model": MODELS,
    "loss": LOSSES,
    "query_loss": QUERY_LOSSES,
    "meta": META_PARAMETERISATIONS,
    "inner": INNER_LOOPS,
    "hypergradient": HYPERGRADIENTS,
    "outer.optimizer": OUTER_OPTIMIZERS,
}
"""Registry of each component field, by its path in an experiment's configuration."""
