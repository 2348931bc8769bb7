"""CAVIA's sine table: loss against the number of context parameters."""

from metalab.studies.base import (
    Grade,
    Method,
    Protocol,
    Study,
    StudyLine,
    point,
)
from metalab.studies.checks import less
from metalab.studies.drawing import comparison

PUBLISHED = {
    1: (0.84, 0.06),
    2: (0.21, 0.02),
    3: (0.20, 0.02),
    4: (0.19, 0.02),
    5: (0.19, 0.02),
    50: (0.19, 0.02),
}
"""Context parameters -> loss and half width of its interval, CAVIA."""

PUBLISHED_MAML = {0: 0.33, 1: 0.29, 2: 0.24, 3: 0.24, 4: 0.23, 5: 0.23, 50: 0.23}
"""Extra inputs -> loss, MAML."""

GRID = Protocol(
    name="grid",
    num_tasks=1_000,
    num_shots=10,
    num_queries=100,
    num_inner_steps=1,
    query_inputs="grid",
)
LENGTH = (("outer.num_steps", 50_000), ("evaluation.every", 2_000))


def _cavia(size: int) -> Method:
    return Method(
        name=f"cavia-{size}",
        title=f"CAVIA, {size} context parameter{'s' if size > 1 else ''}",
        preset="cavia-sine",
        changes=(("meta.context_dim", size), *LENGTH),
        protocols=(GRID,),
    )


def _maml(size: int) -> Method:
    extra = "no" if size == 0 else str(size)
    meta = (("meta.kind", "extra-inputs"), ("meta.num_extra_inputs", size))
    return Method(
        name="maml" if size == 0 else f"maml-{size}",
        title=f"MAML, {extra} extra input{'' if size == 1 else 's'}",
        preset="maml-sine",
        changes=(*(meta if size > 0 else ()), ("inner.inner_lr", 0.1), *LENGTH),
        protocols=(GRID,),
    )


def _maml_line(size: int) -> StudyLine:
    return StudyLine(
        method="maml" if size == 0 else f"maml-{size}",
        protocol="grid",
        at=1,
        setting="10 shots, 1 step",
        published=point(PUBLISHED_MAML[size], Grade.MEMORY, half_width=0.02),
    )


def _line(size: int) -> StudyLine:
    mean, half = PUBLISHED[size]
    default = size == 5
    return StudyLine(
        method=f"cavia-{size}",
        protocol="grid",
        at=1,
        setting="10 shots, 1 step",
        published=point(mean, Grade.MEMORY, half_width=half),
        tolerance=(0.14, 0.26) if default else None,
        check="M8" if default else "",
    )


STUDY = Study(
    name="cavia",
    title="CAVIA on sines: loss against the number of context parameters",
    source="Zintgraf, Shiarlis, Kurin, Hofmann & Whiteson 2019, table 1",
    quantity="loss on a grid of 100 inputs after 1 inner step (y²)",
    methods=(
        *(_maml(size) for size in PUBLISHED_MAML),
        *(_cavia(size) for size in PUBLISHED),
    ),
    lines=(
        *(_maml_line(size) for size in PUBLISHED_MAML),
        *(_line(size) for size in PUBLISHED),
    ),
    checks=(
        less(
            "M8",
            "CAVIA with 5 context parameters is better than MAML",
            of=("cavia-5", "grid", 1),
            than=("maml", "grid", 1),
        ),
    ),
    differences=(
        "The authors' code clamps each task's hypergradient of CAVIA to ±10 entry by "
        "entry; here the norm of their mean is clipped at 10. MAML is not clipped in "
        "either.",
        "The authors keep the meta-parameters that are best on validation tasks; here "
        "the last ones count.",
        "MAML's inner step of 0.1 is the repository's baseline as its README gives it. "
        "Exact second-order training with it is slow here: without extra inputs the "
        "held-out loss is 1.14 after 10,000 outer steps, 0.78 after 50,000, and still "
        "falling. With a step of 0.01 the study maml-sine finds 0.38.",
        "The published numbers are as remembered.",
    ),
    figures=(
        comparison(
            "table", "Table 1 of CAVIA", "Loss on the grid after 1 inner step (y²)"
        ),
    ),
)
