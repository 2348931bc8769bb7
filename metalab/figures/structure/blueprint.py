"""From an experiment to the picture of its bilevel problem. Knows no Qt.

Importing this module does not import torch.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metalab.core.hypergradient.route import Route
from metalab.figures.structure.arrows import (
    arrows_of,
    idle_in,
    learned_in,
    parts_of,
)
from metalab.figures.structure.model import Entries, Settings, Structure, Titles

if TYPE_CHECKING:
    from metalab.core.learner import MetaLearner
    from metalab.core.meta.base import PhiRole
    from metalab.experiment.config import ExperimentConfig

_DIRECT, _THROUGH_START = "∂_φ f ", "(∂θ_0/∂φ)^T "
_ONE_STEP = "(I − α ∇²ℓ(φ)) ∇f(θ_1)"
_MANY_STEPS = "(I − α ∇²ℓ(θ_0)) ⋯ (I − α ∇²ℓ(θ_{K−1})) ∇f(θ_K)"
_SOLVED = "∂_φ f − B^T H^{−1} ∇f(θ_K)"
_WEIGHED = "Σ_k w_k df(θ_k)/dφ"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """An experiment with the parts that compute it, from which pictures are made.

    Attributes:
        config: The experiment.
        learner: Its meta-learner; tells rates, K and estimator of any outer step.
    """

    config: "ExperimentConfig"
    learner: "MetaLearner"

    def structure(self, step: int = 0) -> Structure:
        """Return the picture of an outer step.

        Args:
            step: Outer steps made before it.
        """
        learner, config = self.learner, self.config
        meta = learner.problem.meta
        estimator = learner.estimator(step)
        solved = _is_solved(learner)
        entries = _entries(learner)
        weights = learner.objective.weights(step, learner.inner_at(step)[1])
        plain = Structure(
            route=_route(estimator.route, solved=solved),
            formula=_formula(self, estimator.formula, step),
            entries=entries,
            moves=learner.outer.moves,
            solved=solved,
            zero_start=not entries.start and _starts_at_zero(learner),
            regularised=meta.regularised,
            every_step_counts=weights is not None,
            likelihood=meta.is_probabilistic,
            caveat=config.loss_words.caveat,
            inner_formula=learner.inner.formula,
            inner_learns=learner.inner.learned,
            titles=Titles(
                family=config.tasks.family.component.title,
                model=config.model.component.title,
                meta=config.meta.component.title,
                inner=config.inner.component.title,
                estimator=estimator.title,
                optimizer=config.outer.optimizer.component.title,
            ),
            settings=_settings(self, step),
        )
        return replace(
            plain,
            parts=parts_of(plain),
            learned=learned_in(plain),
            idle=idle_in(plain),
            arrows=arrows_of(plain),
        )


def blueprint_of(config: "ExperimentConfig") -> Blueprint:
    """Return what pictures of an experiment are made from."""
    from metalab.engine.build import build_learner  # noqa: PLC0415 - torch

    return Blueprint(config, build_learner(config))


def _settings(blueprint: Blueprint, step: int) -> Settings:
    config, learner = blueprint.config, blueprint.learner
    problem = learner.problem
    factor = learner.inner_schedule.at(step, learner.inner.num_inner_steps)[0]
    inner_lr = config.inner.options().get("inner_lr")
    return Settings(
        num_steps=config.outer.num_steps,
        num_tasks=config.outer.num_tasks,
        num_shots=config.tasks.num_shots,
        num_queries=config.tasks.num_queries,
        num_inner_steps=learner.inner_at(step)[1],
        inner_lr=None if inner_lr is None else inner_lr * factor,
        outer_lr=learner.outer_lr_at(step),
        num_meta=problem.meta_dim + learner.inner.meta_dim(problem.adapted),
        num_adapted=sum(block.size for block in problem.adapted),
        num_network=problem.model.dim,
    )


def _ways(learner: "MetaLearner") -> "list[frozenset[PhiRole]]":
    """Return how each part of phi enters, what the inner loop learns included."""
    from metalab.core.meta.base import PhiRole  # noqa: PLC0415 - torch

    rates = [frozenset({PhiRole.RATES})] if learner.inner.learned else []
    return [*learner.problem.meta.ways, *rates]


def _entries(learner: "MetaLearner") -> Entries:
    from metalab.core.meta.base import PhiRole  # noqa: PLC0415 - torch

    found = frozenset[PhiRole]().union(*_ways(learner))
    return Entries(
        start=PhiRole.START in found,
        rates=PhiRole.RATES in found,
        inner_loss=PhiRole.INNER_LOSS in found,
        prediction=PhiRole.PREDICTION in found,
    )


def _is_solved(learner: "MetaLearner") -> bool:
    from metalab.core.inner.base import InnerRequirement  # noqa: PLC0415 - torch

    return learner.inner.needs is InnerRequirement.CLOSED_FORM


def _starts_at_zero(learner: "MetaLearner") -> bool:
    """Return whether theta_0 is zero, for a start that phi has no part in."""
    import torch  # noqa: PLC0415 - late, as everywhere in the window

    problem = learner.problem
    start = problem.meta.start(problem.model, torch.zeros(1, problem.meta_dim))
    return not bool(start.any())


def _route(route: Route, *, solved: bool) -> Route:
    """Return the route; a step that solves is differentiated at its solution."""
    exact = (Route.EVERY_STEP, Route.LAST_STEPS)
    return Route.SOLUTION if solved and route in exact else route


def _formula(blueprint: Blueprint, general: str, step: int) -> str:
    """Return an estimator's formula without the terms that are zero or the identity."""
    from metalab.core.inner.descent import FixedRateDescent  # noqa: PLC0415 - torch

    learner = blueprint.learner
    entries = _entries(learner)
    route = learner.estimator(step).route
    if learner.objective.weights(step, learner.inner_at(step)[1]) is not None:
        return _WEIGHED
    if _is_solved(learner) and route is Route.EVERY_STEP:
        return _SOLVED
    only_start = len(_ways(learner)) == 1 and entries.start
    options = blueprint.config.inner.options()
    plain = isinstance(learner.inner, FixedRateDescent) and not (
        options.get("momentum")
        or options.get("inner_clamp")
        or options.get("inner_clip_norm")
        or options.get("inner_weight_decay")
    )
    if only_start and plain and not entries.inner_loss and route is Route.EVERY_STEP:
        return _ONE_STEP if learner.inner_at(step)[1] == 1 else _MANY_STEPS
    if only_start and general.startswith(_THROUGH_START + "("):
        return general.removeprefix(_THROUGH_START)[1:-1]
    if only_start:
        general = general.replace(_THROUGH_START, "")
    return general if entries.prediction else _without_direct(general)


def _without_direct(formula: str) -> str:
    """Return a formula without the derivative of the prediction by phi: it is zero."""
    rest = formula.removeprefix(_DIRECT)
    return rest.removeprefix("+ ").replace("− ", "−", 1) if rest != formula else formula
