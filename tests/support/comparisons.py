"""Comparisons of estimators that nobody measured."""

from dataclasses import replace
from typing import Any

from metalab.analysis.comparison import Comparison, ComparisonRequest, Measured
from metalab.core.hypergradient.target import Target


def measured(name: str, steps: int, error: float, **changes: Any) -> Measured:
    row = Measured(
        name=name,
        title=name.capitalize(),
        problem="own",
        target=Target.K_STEP,
        exact=error == 0,
        num_inner_steps=steps,
        num_batches=2,
        cosine=1 - error / 4,
        cosine_error=0.01,
        norm_ratio=1 + error,
        norm_ratio_error=0.01,
        relative_error=error,
        relative_error_error=0.01,
        variance=0.5,
        seconds=0.002,
        peak_bytes=2**20,
        gradients=1500,
        products=steps,
    )
    return replace(row, **changes)


def comparison(request: ComparisonRequest, **changes: Any) -> Comparison:
    steps = request.num_inner_steps
    rows = (
        measured("unrolled", steps, 0.0),
        measured("reptile", steps, 0.9),
        measured("truncated", steps, 0.1),
    )
    made = Comparison(
        request=request,
        planned=tuple(changes.get("rows", rows)),
        rows=rows,
        left_out=(("T1-T2", "it has no regulariser"),),
        takes_damping=False,
        done=True,
    )
    return replace(made, **changes)
