"""The places of an experiment that hold a component."""

from metalab.catalog.registry import Registry
from metalab.core.hypergradient.base import HypergradientEstimator
from metalab.core.inner.base import InnerLoop
from metalab.core.meta.base import MetaParameterisation
from metalab.core.model.base import Model
from metalab.core.outer import OuterOptimizer
from metalab.core.tasks import TaskFamily

TASK_FAMILIES = Registry("task family", TaskFamily, "metalab.tasks", "metalab.tasks")
MODELS = Registry("model", Model, "metalab.core.model")
META_PARAMETERISATIONS = Registry(
    "what is meta-learned", MetaParameterisation, "metalab.core.meta"
)
INNER_LOOPS = Registry("inner loop", InnerLoop, "metalab.core.inner")
HYPERGRADIENTS = Registry(
    "hypergradient", HypergradientEstimator, "metalab.core.hypergradient"
)
OUTER_OPTIMIZERS = Registry("outer optimizer", OuterOptimizer, "metalab.core.outer")

SLOTS = {
    "tasks.family": TASK_FAMILIES,
    "model": MODELS,
    "meta": META_PARAMETERISATIONS,
    "inner": INNER_LOOPS,
    "hypergradient": HYPERGRADIENTS,
    "outer.optimizer": OUTER_OPTIMIZERS,
}
"""Registry of each component field, by its path in an experiment's configuration."""
