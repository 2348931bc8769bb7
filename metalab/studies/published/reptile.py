"""Reptile's sine demonstration: from ten points to a curve in 32 steps."""

from metalab.studies.base import (
    Grade,
    Method,
    MissingRow,
    Protocol,
    Study,
    StudyLine,
    point,
)
from metalab.studies.checks import median_below
from metalab.studies.drawing import Axes, comparison, curves

STEPS = 32

GRID = Protocol(
    name="10 points",
    num_tasks=500,
    num_shots=10,
    num_queries=50,
    num_inner_steps=STEPS,
    query_inputs="grid",
)

STUDY = Study(
    name="reptile",
    title="Reptile's sine demonstration",
    source="Nichol, Achiam & Schulman 2018, figure 1, and the demonstration's code",
    quantity="loss on a grid of 50 inputs (y²)",
    methods=(
        Method(
            name="reptile",
            title="Reptile",
            preset="reptile-sine-paper",
            changes=(
                ("outer.num_steps", 30_000),
                ("evaluation.every", 1_000),
                ("evaluation.num_inner_steps", STEPS),
            ),
            protocols=(GRID,),
        ),
    ),
    lines=(
        StudyLine(
            method="reptile",
            protocol="10 points",
            at=0,
            setting="0 steps",
            published=point(4.25, Grade.DERIVED),
        ),
        StudyLine(
            method="reptile",
            protocol="10 points",
            at=8,
            setting="8 steps",
        ),
        StudyLine(
            method="reptile",
            protocol="10 points",
            at=STEPS,
            setting="32 steps, mean of 500 tasks",
            published=point(0.048, Grade.CODE),
        ),
    ),
    checks=(
        median_below(
            "M10",
            "a single curve after 32 steps, the one in the middle, has less than 0.3",
            of=("reptile", "10 points", STEPS),
            bound=0.3,
        ),
    ),
    differences=(
        "There is no published mean: 0.048 is one plotted curve of a reimplementation "
        "(JosephKJ's), ours the mean of 500 tasks for each seed; it is compared with "
        "the median in M10.",
        "4.25 at step 0 is the loss of the zero function, which is the best fixed one "
        "for phases in [0, 2 pi].",
        "The demonstration draws the ten support points from its grid with replacement; "
        "here they are ten different ones.",
        "The demonstration's network is of tanh; its comment says the paper used relu.",
    ),
    missing=(
        MissingRow(
            title="MAML in the same figure",
            published=None,
            reason="the paper's figure 1 shows curves of one task without numbers",
        ),
    ),
    figures=(
        curves(
            "loss",
            "Loss against inner steps after Reptile",
            ((("reptile", "10 points"), "Reptile"),),
            Axes(x="Inner step", y="Loss on the grid (y²)"),
        ),
        comparison("table", "Reptile's demonstration", "Loss on the grid (y²)"),
    ),
    run_figures=(("reptile", "adaptation"),),
)
