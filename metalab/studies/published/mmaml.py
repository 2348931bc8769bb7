"""Multimodal regression: what one initialisation can do with two modes, or many."""

from metalab.studies.base import (
    Grade,
    Method,
    MissingRow,
    Protocol,
    Study,
    StudyLine,
    point,
)
from metalab.studies.checks import floor, less, ratio
from metalab.studies.drawing import Axes, comparison, curves

NOISE_FLOOR = 0.09
"""Variance of the noise on the query targets."""

PUBLISHED = (
    (
        "Multi-MAML, 2 modes",
        0.433,
        "it is told the mode of each task, which no part of the catalog is",
    ),
    ("LSTM learner, 2 modes", 0.362, "a recurrent learner is not in the catalog"),
)
"""Rows that are not run."""


def _method(name: str, title: str, preset: str) -> Method:
    return Method(
        name=name,
        title=title,
        preset=preset,
        changes=(("outer.num_steps", 70_000), ("evaluation.every", 2_000)),
        protocols=(
            Protocol(
                name="5 shots",
                num_tasks=1_000,
                num_shots=5,
                num_queries=100,
                num_inner_steps=10,
            ),
        ),
    )


STUDY = Study(
    name="mmaml",
    title="MAML and MMAML on two modes: sines and lines",
    source="Vuorio, Sun, Hu & Lim 2019 (MMAML), regression table",
    quantity="query loss on fresh tasks, noisy targets (y²)",
    methods=(
        _method("maml-2", "MAML, 2 modes", "maml-multimodal"),
        _method("mmaml-2", "MMAML, 2 modes", "mmaml-multimodal"),
    ),
    lines=(
        StudyLine(
            method="maml-2", protocol="5 shots", at=0, setting="5 shots, 0 steps"
        ),
        StudyLine(
            method="maml-2",
            protocol="5 shots",
            at=5,
            setting="5 shots, 5 steps",
            published=point(1.085, Grade.MEMORY),
        ),
        StudyLine(
            method="mmaml-2",
            protocol="5 shots",
            at=5,
            setting="5 shots, 5 steps",
            published=point(0.336, Grade.MEMORY),
        ),
    ),
    checks=(
        ratio(
            "M11",
            "MAML has at least twice the loss of MMAML",
            of=("maml-2", "5 shots", 5),
            to=("mmaml-2", "5 shots", 5),
            low=2.0,
        ),
        *[
            floor(
                "M11",
                f"no loss of {title} below the noise on the query targets, 0.09",
                of=(method, "5 shots", 5),
                bound=NOISE_FLOOR,
            )
            for method, title in (("maml-2", "MAML"), ("mmaml-2", "MMAML"))
        ],
        less(
            "M11",
            "adaptation helps",
            of=("maml-2", "5 shots", 5),
            than=("maml-2", "5 shots", 0),
        ),
    ),
    differences=(
        "The published numbers are as remembered; the settings are those of the "
        "authors' code.",
        "The paper's encoder is a recurrent network; ours is a mean over points, of 100 "
        "units, with scale and shift for every hidden unit.",
        "The authors' initial hidden weights differ from torch's default.",
    ),
    missing=tuple(
        MissingRow(title=title, published=point(loss, Grade.MEMORY), reason=reason)
        for title, loss, reason in PUBLISHED
    ),
    figures=(
        curves(
            "loss",
            "Loss against inner steps on two modes",
            ((("maml-2", "5 shots"), "MAML"), (("mmaml-2", "5 shots"), "MMAML")),
            Axes(x="Inner step", y="Query loss (y²)"),
        ),
        comparison("table", "Multimodal regression", "Query loss (y²)"),
    ),
)
