"""What there are compiled kernels for. Asking needs no compiler."""

from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from metalab.core.meta.part import SomeLayers
from metalab.core.model.mlp import MLP
from metalab.core.oracle import BilevelProblem


def oracle_obstacle(problem: BilevelProblem) -> str | None:
    """Return why the kernels cannot answer about a problem, or None if they can."""
    if not isinstance(problem.model, MLP):
        return f"there is no compiled kernel for model {problem.model.name!r}"
    if not isinstance(problem.meta, Initialisation | SomeLayers | ProximalAnchor):
        return f"there is no compiled kernel for meta {problem.meta.name!r}"
    return None
