"""Least squares on the support set alone: what a task tells without any other."""

from metalab.algorithms.maml import GAPMINDER_TASKS
from metalab.catalog.recipes import Preset, Recipe, merge

RECIPE = Recipe(
    name="least-squares",
    title="Least squares on the support set",
    family="Baselines",
    synonyms=("linear regression", "line fit", "polynomial fit", "no meta-learning"),
    source="ordinary least squares",
    summary="Fits a polynomial to each task's support set and learns nothing from other "
    "tasks: what meta-learning has to beat.",
    parts={
        "model": {"kind": "polynomial"},
        "meta": {"kind": "ridge-head", "strength_is": "fixed"},
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "none"}},
    },
    presets=(
        Preset(
            name="least-squares-gapminder",
            title="A line through 3 years of each country",
            source="data: Gapminder (CC0); the ridge strength 1e-6 only keeps the system "
            "regular",
            settings=merge(
                GAPMINDER_TASKS,
                {
                    "model": {"kind": "polynomial", "degree": 1},
                    "meta": {
                        "kind": "ridge-head",
                        "strength": 1e-6,
                        "strength_is": "fixed",
                    },
                    "inner": {"kind": "closed-form", "num_inner_steps": 1},
                    "outer": {
                        "num_tasks": 25,
                        "num_steps": 100,
                        "optimizer": {"kind": "none"},
                    },
                    "evaluation": {"num_inner_steps": 1},
                },
            ),
        ),
    ),
)
