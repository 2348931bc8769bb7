"""A comparison of hypergradient estimators in steps: the chosen K first."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

import torch

from metalab.analysis.comparison import (
    CURVE_STEPS,
    NUM_BATCHES,
    Compared,
    Comparison,
    ComparisonRequest,
    Measured,
)
from metalab.analysis.estimator_selection import Block, Selection, select
from metalab.analysis.estimators import ComparisonPlan, Row, Solutions, compare
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.hypergradient.base import (
    Exactness,
    HypergradientEstimator,
    Target,
)
from metalab.engine.build import DTYPES
from metalab.engine.providers import AUTODIFF
from metalab.engine.torch_threads import use_threads_of
from metalab.experiment.compatibility import estimator_refusal
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides

_ANCHOR_STRENGTH = 2.0
"""Where estimators of the solution need an anchor that the run does not have."""


def comparison_steps(
    request: ComparisonRequest, tell: Callable[[str], None]
) -> Iterator[Comparison]:
    """Yield what will be measured, and what is known after each piece; the last is done.

    Args:
        request: What is asked.
        tell: Told what is measured; may raise to give up.

    Raises:
        EstimatorError: The meta-parameters are not those of the experiment.
        ConfigError: A number is not admissible.
    """
    config = _config_of(request)
    use_threads_of(config, AUTODIFF)
    selection = select(
        config,
        request.phi,
        names=None,
        strength=_ANCHOR_STRENGTH,
        dtype=DTYPES[config.run.precision],
        device=torch.device("cpu"),
    )
    left_out = _left_out(config, selection)
    blocks = [
        _against(request.against, _damped(block, request.damping))
        for block in selection.blocks
    ]
    takes_damping = any(_has_damping(e) for block in blocks for e in block.estimators)
    rows: list[Measured] = []
    chosen = request.num_inner_steps
    others = [steps for steps in CURVE_STEPS if steps != chosen]
    quick = [_chosen(block, slow=False) for block in blocks]
    slow = [_chosen(block, slow=True) for block in blocks]
    work = [(block, chosen) for block in (*quick, *slow) if block.estimators]
    own = [block for block in quick if block.name == "own" and block.estimators]
    work += [(block, steps) for block in own for steps in others]
    solutions: Solutions = {}
    known = Comparison(
        request=request,
        planned=tuple(
            _compared(block, e) for block in blocks for e in block.estimators
        ),
        rows=(),
        left_out=left_out,
        takes_damping=takes_damping,
        done=not work,
    )
    yield known
    for index, (block, steps) in enumerate(work):
        plan = ComparisonPlan(
            num_inner_steps=(steps,),
            num_tasks=request.num_tasks,
            num_batches=NUM_BATCHES,
            seed=request.seed,
        )
        alone = Selection(blocks=(block,), left_out=())
        (result,) = compare(alone, plan, tell=tell, solutions=solutions)
        rows += [_measured(block, row) for row in result.rows]
        yield replace(
            known,
            rows=tuple(rows),
            done=index == len(work) - 1,
            solved=_num_solved(solutions),
        )


def _config_of(request: ComparisonRequest) -> ExperimentConfig:
    config = request.config
    options = config.inner.options()
    changes: list[tuple[str, object]] = []
    if request.inner_lr is not None and "inner_lr" in options:
        changes.append(("inner.inner_lr", request.inner_lr))
    return with_overrides(config, changes)


def _against(wanted: Target, block: Block) -> Block:
    """Return a block that is compared with what is wanted, where it has that."""
    if wanted is Target.K_STEP:
        return replace(block, reference=Target.K_STEP)
    return block


def _num_solved(solutions: Solutions) -> tuple[int, int] | None:
    """Return how many inner problems of the run were solved, and of how many."""
    if "own" not in solutions:
        return None
    _, solved = solutions["own"]
    return solved.num_solved, solved.num_tasks


def _damped(block: Block, damping: float | None) -> Block:
    """Return a block whose estimators have another damping, where they have one."""
    if damping is None:
        return block
    changed = tuple(
        _with(estimator, damping=damping) if _has_damping(estimator) else estimator
        for estimator in block.estimators
    )
    return replace(block, estimators=changed)


def _has_damping(estimator: object) -> bool:
    return is_dataclass(estimator) and "damping" in {f.name for f in fields(estimator)}


def _with(estimator: Any, **changes: float) -> Any:
    return replace(estimator, **changes)


def _chosen(block: Block, *, slow: bool) -> Block:
    """Return a block with its slow estimators, or with the others."""
    kept = tuple(e for e in block.estimators if e.slow is slow)
    return replace(block, estimators=kept)


def _left_out(
    config: ExperimentConfig, selection: Selection
) -> tuple[tuple[str, str], ...]:
    """Return what does not apply, and why."""
    there = {e.name for block in selection.blocks for e in block.estimators}
    found: list[tuple[str, str]] = []
    for name, component in HYPERGRADIENTS.components.items():
        if name in there:
            continue
        reason = estimator_refusal(config, component)
        if name in selection.left_out:
            reason = "it goes through the meta-parameters one by one: too many here"
        found.append((component.title, reason or "it does not go with this method"))
    return tuple(found)


def _compared(block: Block, estimator: HypergradientEstimator) -> Compared:
    return Compared(
        name=estimator.name,
        title=estimator.title,
        problem=block.name,
        target=estimator.target,
        exact=estimator.exactness is Exactness.EXACT
        and estimator.target is block.reference,
    )


def _measured(block: Block, row: Row) -> Measured:
    found = row.accuracy[block.reference]
    return Measured(
        **asdict(_compared(block, row.estimator)),
        num_inner_steps=row.num_inner_steps,
        num_batches=found.cosine.num_batches,
        cosine=found.cosine.mean,
        cosine_error=found.cosine.standard_error,
        norm_ratio=found.norm_ratio.mean,
        norm_ratio_error=found.norm_ratio.standard_error,
        relative_error=found.relative_error.mean,
        relative_error_error=found.relative_error.standard_error,
        variance=row.relative_variance,
        seconds=row.seconds,
        peak_bytes=row.peak_bytes,
        gradients=row.evaluations.gradients,
        products=row.evaluations.products,
        solves=row.solves,
    )
