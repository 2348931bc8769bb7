"""A comparison of estimators as text for people, and as plain values."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich import box
from rich.table import Table

from metalab.analysis.accuracy import Accuracy, Spread
from metalab.analysis.estimators import BlockResult, Row
from metalab.analysis.solves import Solves
from metalab.core.hypergradient.base import Target

WIDTH = 132
"""Room for the longest row; a table takes what it needs."""

_MEBIBYTE = 2**20
_LARGE, _SMALL = 1e4, 1e-3
_THREE_DIGITS = 100
_PROBLEMS = {"own": "The run's own problem", "proximal": "The proximal problem"}
_KEYS = {Target.K_STEP: "k_step", Target.SOLUTION: "solution"}


def table_of(result: BlockResult) -> Table:
    """Return the table of one problem, grouped by K."""
    targets = [target for target in Target if _is_shown(result, target)]
    table = Table(
        title=_title(result),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in ("K", "Estimator", "Target", "Is"):
        justify = "right" if heading == "K" else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for heading in _number_headings(targets):
        table.add_column(heading, justify="right", no_wrap=True)
    for num_steps, group in groupby(result.rows, lambda row: row.num_inner_steps):
        for index, row in enumerate(group):
            label = str(num_steps) if index == 0 else ""
            table.add_row(label, *_cells(row, targets))
        table.add_section()
    return table


def _is_shown(result: BlockResult, target: Target) -> bool:
    return all(target in row.accuracy for row in result.rows)


def _number_headings(targets: list[Target]) -> Iterator[str]:
    for target in targets:
        of = "" if len(targets) == 1 else f"\n{target.value}"
        yield f"Cosine{of}"
        yield f"Rel. error{of}" if len(targets) == 1 else "Error"
    yield from ("Norm\nratio", "Vari-\nance", "Grad.", "Prod.", "ms", "MiB")


def _cells(row: Row, targets: list[Target]) -> Iterator[str]:
    estimator = row.estimator
    yield estimator.name
    yield estimator.target.value
    # No room for a column of its own: what it means stands below the table.
    yield f"{estimator.exactness.value}{'*' if _is_short(row.solves) else ''}"
    for target in targets:
        found = row.accuracy[target]
        # Errors only against the reference: there is no room for both.
        last = target is targets[-1]
        yield f"{found.cosine.mean:.3f}{_error(found.cosine, '.3f') if last else ''}"
        error = _error(found.relative_error, ".2g") if last else ""
        yield f"{_number(found.relative_error.mean)}{error}"
    # The last of them is the reference of the table.
    yield _number(row.accuracy[targets[-1]].norm_ratio.mean)
    yield _number(row.relative_variance)
    yield f"{row.evaluations.gradients:,}"
    yield f"{row.evaluations.products:,}"
    yield _number(1e3 * row.seconds)
    yield f"{row.peak_bytes / _MEBIBYTE:.2f}"


def _error(spread: Spread, written: str) -> str:
    """Return the standard error of a mean, to be written behind it."""
    return f"±{spread.standard_error:{written}}"


def _number(value: float) -> str:
    if value != 0 and not _SMALL <= abs(value) < _LARGE:
        return f"{value:.0e}"
    # Not 1e+03 for what rounds to a thousand.
    return f"{value:.0f}" if abs(value) >= _THREE_DIGITS else f"{value:.3g}"


def _title(result: BlockResult) -> str:
    block = result.block
    meta = block.config.meta
    details = [f"meta.kind {meta.kind}"]
    if "strength" in meta.options():
        details.append(f"strength {meta.options()['strength']:g}")
    if "inner_lr" in block.config.inner.options():
        details.append(f"inner lr {block.config.inner.options()['inner_lr']:g}")
    reference = {
        Target.K_STEP: "the exact hypergradient after K inner steps",
        Target.SOLUTION: "the hypergradient at the inner solution",
    }[block.reference]
    problem = _PROBLEMS[block.name]
    return f"{problem} ({', '.join(details)})\nReference: {reference}, float64"


def notes_on(result: BlockResult) -> str:
    """Return what has to be known to trust reference and estimates; "" for nothing."""
    caveat = result.block.config.loss_words.caveat
    notes = [_on_reference(result), _on_solves(result), caveat]
    return "\n".join(note for note in notes if note)


def _on_solves(result: BlockResult) -> str | None:
    """Return which estimators solved their linear systems how badly; None for none."""
    lines = [
        f"  K = {row.num_inner_steps}, {row.estimator.name}: {row.solves.words}"
        for row in result.rows
        if row.solves is not None and _is_short(row.solves)
    ]
    if not lines:
        return None
    return "\n".join(
        [
            "*: not all of its linear systems, one a task of each meta-batch, were solved:",
            *lines,
        ]
    )


def _is_short(solves: Solves | None) -> bool:
    """Return whether there are linear systems, and not all of them are solved."""
    return solves is not None and (
        solves.not_positive_definite > 0 or solves.unconverged > 0
    )


def _on_reference(result: BlockResult) -> str | None:
    """Return how far the reference can be trusted; None where it is exact."""
    solved = result.solved
    if solved is None:
        return None
    text = (
        f"Inner problems solved for the reference: {solved.num_solved:,} of "
        f"{solved.num_tasks:,} tasks; largest gradient left {solved.gradient_left:.1e} of "
        f"the first, largest residual of the linear systems {solved.residual:.1e}."
    )
    if solved.num_solved == solved.num_tasks:
        return text
    return (
        f"{text} The other tasks have come to rest at kinks of the loss, or not at all: "
        "there the formula of the solution holds only nearly."
    )


def plain(result: BlockResult) -> dict[str, Any]:
    """Return what was found on one problem, for JSON."""
    block = result.block
    return {
        "problem": block.name,
        "meta": {"kind": block.config.meta.kind, **block.config.meta.options()},
        "inner": {"kind": block.config.inner.kind, **block.config.inner.options()},
        "reference": block.reference.value,
        "reference_precision": "float64",
        "solved": None if result.solved is None else asdict(result.solved),
        "rows": [_plain_row(row, block.reference) for row in result.rows],
    }


def _plain_row(row: Row, reference: Target) -> dict[str, Any]:
    estimator = row.estimator
    return {
        "estimator": estimator.name,
        "title": estimator.title,
        "num_inner_steps": row.num_inner_steps,
        "target": estimator.target.value,
        "exactness": estimator.exactness.value,
        "reference": reference.value,
        **_plain_accuracy(row.accuracy[reference]),
        "against": {
            _KEYS[target]: _plain_accuracy(found)
            for target, found in row.accuracy.items()
        },
        "relative_variance": row.relative_variance,
        "gradients": row.evaluations.gradients,
        "products": row.evaluations.products,
        "seconds": row.seconds,
        "peak_bytes": row.peak_bytes,
        "solves": None if row.solves is None else row.solves.plain(),
    }


def _plain_accuracy(found: Accuracy) -> dict[str, float]:
    """Return means over meta-batches, deviations of one, standard errors of the means."""
    plain: dict[str, float] = {}
    for name in ("cosine", "relative_error", "norm_ratio"):
        spread: Spread = getattr(found, name)
        plain[name] = spread.mean
        plain[f"{name}_deviation"] = spread.deviation
        plain[f"{name}_standard_error"] = spread.standard_error
    return plain
