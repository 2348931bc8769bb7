"""Multimodal regression: what one initialisation can do with two modes."""

from metalab.studies.base import Grade, Line, Method, MissingRow, Protocol, Study, point
from metalab.studies.checks import floor, less
from metalab.studies.drawing import Axes, comparison, curves

NOISE_FLOOR = 0.09
"""Variance of the noise on the query targets."""

NOT_IN_CATALOG = "its modulation network is not in the catalog"
PUBLISHED = (
    (
        "Multi-MAML, 2 modes",
        0.433,
        "it is told the mode of each task, which no part of the catalog is",
    ),
    ("LSTM learner, 2 modes", 0.362, "a recurrent learner is not in the catalog"),
    ("MMAML with FiLM, 2 modes", 0.336, NOT_IN_CATALOG),
)
"""Rows that are not run."""

STUDY = Study(
    name="mmaml",
    title="MAML on two modes: sines and lines",
    source="Vuorio, Sun, Hu & Lim 2019 (MMAML), regression table",
    quantity="query loss on fresh tasks, noisy targets (y²)",
    methods=(
        Method(
            name="maml-2",
            title="MAML, 2 modes",
            preset="maml-sine",
            changes=(
                ("tasks.family.kind", "multimodal"),
                ("tasks.family.num_modes", 2),
                ("tasks.family.noise_std", 0.3),
                ("tasks.num_shots", 5),
                ("tasks.num_queries", 5),
                ("model.hidden_sizes", [100, 100, 100]),
                ("inner.num_inner_steps", 5),
                ("inner.inner_lr", 0.001),
                ("outer.num_tasks", 50),
                ("outer.num_steps", 70_000),
                ("evaluation.every", 2_000),
            ),
            protocols=(
                Protocol(
                    name="5 shots",
                    num_tasks=1_000,
                    num_shots=5,
                    num_queries=100,
                    num_inner_steps=10,
                ),
            ),
        ),
    ),
    lines=(
        Line(method="maml-2", protocol="5 shots", at=0, setting="5 shots, 0 steps"),
        Line(
            method="maml-2",
            protocol="5 shots",
            at=5,
            setting="5 shots, 5 steps",
            published=point(1.085, Grade.MEMORY),
        ),
    ),
    checks=(
        floor(
            "M11",
            "no loss below the noise on the query targets, 0.09",
            of=("maml-2", "5 shots", 5),
            bound=NOISE_FLOOR,
        ),
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
        "The order of M11 and its gap of at least 2 between MAML and MMAML cannot be "
        "judged while MMAML is not in the catalog.",
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
            ((("maml-2", "5 shots"), "MAML"),),
            Axes(x="Inner step", y="Query loss (y²)"),
        ),
        comparison("table", "Multimodal regression", "Query loss (y²)"),
    ),
)
