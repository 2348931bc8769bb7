"""A study small enough for a fraction of a second a run."""

from pathlib import Path

from metalab.studies.base import (
    Grade,
    Method,
    MissingRow,
    Protocol,
    Study,
    StudyLine,
    point,
)
from metalab.studies.checks import less
from metalab.studies.drawing import Axes, comparison, curves
from metalab.studies.plan import StudyPlan

NUM_STEPS = 20

SHOTS = Protocol(
    name="5 shots", num_tasks=8, num_shots=5, num_queries=4, num_inner_steps=3
)
SLOW = Protocol(
    name="slow",
    num_tasks=8,
    num_shots=5,
    num_queries=4,
    num_inner_steps=3,
    inner_lr=1e-6,
)


def method(name: str, preset: str = "maml-sine", **changes: object) -> Method:
    return Method(
        name=name,
        title=name.upper(),
        preset=preset,
        changes=(
            ("model.hidden_sizes", [6]),
            ("outer.num_tasks", 2),
            ("outer.num_steps", NUM_STEPS),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_queries", 4),
            ("evaluation.num_inner_steps", 2),
            ("evaluation.every", 10),
            *changes.items(),
        ),
        protocols=(SHOTS, SLOW),
    )


def line(name: str, tolerance: tuple[float, float] | None = None) -> StudyLine:
    return StudyLine(
        method=name,
        protocol="5 shots",
        at=1,
        setting="5 shots, 1 step",
        published=point(3.0, Grade.MEMORY, half_width=0.1),
        tolerance=tolerance,
        check="T1",
    )


STUDY = Study(
    name="toy",
    title="A toy",
    source="Nobody 2026",
    quantity="query loss (y²)",
    methods=(method("a"), method("b", "fomaml-sine")),
    lines=(line("a", (0.0, 1e6)), line("b", (1e6, 2e6)), line("b")),
    checks=(
        less("T2", "a below itself", of=("a", "slow", 1), than=("a", "slow", 1)),
        less("T3", "b known", of=("b", "slow", 1), than=("b", "slow", 1)),
    ),
    differences=("It is a toy.",),
    missing=(MissingRow(title="C", published=None, reason="there is no C"),),
    figures=(
        curves("loss", "Loss", ((("a", "5 shots"), "A"),), Axes(x="Step", y="Loss")),
        comparison("table", "Table", "Loss"),
    ),
    run_figures=(("a", "adaptation"),),
)


def plan(folder: Path, **options: object) -> StudyPlan:
    folder.mkdir(exist_ok=True)
    return StudyPlan(study=STUDY, folder=folder, **{"num_seeds": 1, **options})
