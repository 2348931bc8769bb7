"""Selection of the estimators that are compared on each problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.errors import UserError
from metalab.core.hypergradient.base import (
    Exactness,
    HypergradientEstimator,
    ProblemSize,
    Target,
)
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.learner import MetaLearner
from metalab.core.meta.anchor import ProximalAnchor
from metalab.engine.build import build_learner
from metalab.engine.events import Array
from metalab.experiment.compatibility import FALLBACK_INNER, estimator_refusal
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides

MOST_COORDINATES = 200
"""Above so many meta-parameters, estimators that go through them one by one wait to be
asked for."""


class EstimatorError(UserError):
    """A comparison that cannot be made; the message says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One bilevel problem, and the estimators that are compared on it.

    Attributes:
        name: "own", or "proximal" for the same network with a proximal anchor.
        config: The experiment that has this problem.
        learner: Its parts.
        phi: Its meta-parameters, [meta].
        estimators: What is compared.
        reference: The derivative that they are all compared with: that of the solution
            where the inner problem has one, otherwise that of K steps.
    """

    name: str
    config: ExperimentConfig
    learner: MetaLearner
    phi: Tensor
    estimators: tuple[HypergradientEstimator, ...]
    reference: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is compared.

    Attributes:
        blocks: One or two problems.
        left_out: Estimators that would take too long unless asked for.
    """

    blocks: tuple[Block, ...]
    left_out: tuple[str, ...]


def select(
    config: ExperimentConfig,
    phi: Array,
    *,
    names: Sequence[str] | None,
    strength: float,
    dtype: torch.dtype,
    device: torch.device,
) -> Selection:
    """Return the problems, with the estimators that go with each.

    Estimators of the solution cannot take a problem without a regulariser. They are
    given the same network, anchored at the same meta-parameters.

    Args:
        config: The run's experiment.
        phi: The run's meta-parameters, [meta].
        names: Estimators asked for; None takes all that go with either problem.
        strength: Of the proximal anchor.
        dtype: Precision of the estimates.
        device: Where they are made.

    Raises:
        EstimatorError: A name is unknown, or names what goes with neither problem; or
            there are no meta-parameters, or not those of the experiment.
        ConfigError: The strength is not admissible.
    """
    wanted = _known(names)
    learner = build_learner(config)
    _check_size(learner, phi)
    anchored = _anchored(config, learner, strength)
    on_own = _going_with(config, wanted)
    on_anchored = () if anchored is None else _solving(anchored, wanted, on_own)
    left_out: tuple[str, ...] = ()
    if names is None:
        left_out = tuple(name for name in on_own if _is_too_long(name, len(phi)))
    else:
        _check_placed(config, [n for n in wanted if n not in (*on_own, *on_anchored)])
    values = torch.tensor(phi, dtype=dtype, device=device)
    kept = [name for name in on_own if name not in left_out]
    blocks = [_block("own", config, values, kept)] if kept else []
    if anchored is not None and on_anchored:
        # The exact derivative of K steps stands beside those of the solution.
        names_there = sorted({Unrolled.name, *on_anchored})
        blocks.append(_block("proximal", anchored, values, names_there))
    return Selection(blocks=tuple(blocks), left_out=left_out)


def _block(
    name: str, config: ExperimentConfig, phi: Tensor, names: Sequence[str]
) -> Block:
    learner = build_learner(config)
    problem = learner.problem
    solvable = problem.meta.regularised and not problem.loss.gradient_jumps
    built = [_built(config, estimator) for estimator in names]
    size = learner.problem.meta_dim + learner.inner.meta_dim(learner.problem.adapted)
    return Block(
        name=name,
        config=config,
        learner=learner,
        phi=phi[:size],
        estimators=tuple(sorted(built, key=_place)),
        reference=Target.SOLUTION if solvable else Target.K_STEP,
    )


def _place(estimator: HypergradientEstimator) -> tuple[int, str]:
    """Return where an estimator stands in a block: the exact ones come first."""
    return list(Exactness).index(estimator.exactness), estimator.name


def _built(config: ExperimentConfig, name: str) -> HypergradientEstimator:
    """Return an estimator: the run's own as the run has it, others at their defaults."""
    if name == config.hypergradient.kind:
        return config.hypergradient.build()
    return HYPERGRADIENTS.default(name).build()


def _known(names: Sequence[str] | None) -> tuple[str, ...]:
    known = tuple(HYPERGRADIENTS.components)
    for name in names or ():
        if name not in known:
            raise EstimatorError(f"estimator is {name!r}; allowed: {', '.join(known)}")
    return known if names is None else tuple(dict.fromkeys(names))


def _check_size(learner: MetaLearner, phi: Array) -> None:
    problem = learner.problem
    needed = problem.meta_dim + learner.inner.meta_dim(problem.adapted)
    if needed == 0:
        raise EstimatorError(
            "this method learns no meta-parameters, so there is no hypergradient to "
            "estimate"
        )
    if len(phi) != needed:
        raise EstimatorError(
            f"the run holds {len(phi):,} meta-parameters; with these settings the "
            f"experiment needs {needed:,}"
        )


def _anchored(
    config: ExperimentConfig, learner: MetaLearner, strength: float
) -> ExperimentConfig | None:
    """Return the experiment with a proximal anchor, or None where that makes no sense.

    It makes none where there is a regulariser already, or where the meta-parameters are
    not the parameters of the network.
    """
    problem = learner.problem
    meta = problem.meta
    if meta.regularised or meta.extra_inputs or problem.meta_dim != problem.model.dim:
        return None
    options = config.inner.options()
    kept = {"num_inner_steps", "inner_lr"} & options.keys()
    changes: list[tuple[str, Any]] = [
        ("outer.loss", "final"),
        ("outer.first_order_steps", 0),
        ("meta", {"kind": ProximalAnchor.name, "strength": strength}),
        ("inner", {"kind": FALLBACK_INNER} | {n: options[n] for n in kept}),
    ]
    return with_overrides(config, changes)


def _going_with(config: ExperimentConfig, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name in names
        if estimator_refusal(config, HYPERGRADIENTS.components[name]) is None
    )


def _solving(
    anchored: ExperimentConfig, names: Sequence[str], elsewhere: Sequence[str]
) -> tuple[str, ...]:
    """Return the estimators of the solution that only the anchored problem takes."""
    return tuple(
        name
        for name in _going_with(anchored, names)
        if name not in elsewhere
        and HYPERGRADIENTS.components[name].target is Target.SOLUTION
    )


def _check_placed(config: ExperimentConfig, homeless: Sequence[str]) -> None:
    for name in homeless:
        reason = estimator_refusal(config, HYPERGRADIENTS.components[name])
        raise EstimatorError(f"estimator {name!r} does not go with this run: {reason}")


def _is_too_long(name: str, meta_dim: int) -> bool:
    """Return whether an estimator would go through many meta-parameters one by one."""
    if meta_dim <= MOST_COORDINATES:
        return False
    one, many = (
        HYPERGRADIENTS.default(name)
        .build()
        .cost(ProblemSize(num_inner_steps=1, meta_dim=count, mixed=False))
        for count in (1, meta_dim)
    )
    return one != many
