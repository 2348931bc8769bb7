"""Mixed model: polynomial coefficients of a task under a learned Gaussian prior."""

from metalab.algorithms.maml import GAPMINDER_TASKS
from metalab.catalog.recipes import Preset, Recipe, merge

LAIRD_1982 = """@article{laird1982random,
  author = {Laird, Nan M. and Ware, James H.},
  title = {Random-Effects Models for Longitudinal Data},
  journal = {Biometrics},
  volume = {38},
  number = {4},
  pages = {963--974},
  year = {1982},
}"""

RECIPE = Recipe(
    name="mixed-model",
    title="Mixed model",
    family="Baselines",
    synonyms=(
        "random effects",
        "hierarchical model",
        "empirical Bayes",
        "lme4",
        "nlme",
    ),
    source="Laird & Ware 1982; the prior by the likelihood of the query set",
    bibtex=(LAIRD_1982,),
    summary="Each task is a polynomial whose coefficients come from one Gaussian; the "
    "outer loop learns that Gaussian, and a task conditions it on its support set.",
    parts={
        "model": {"kind": "polynomial"},
        "meta": {"kind": "bayesian-head"},
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="mixed-model-gapminder",
            title="Mixed model on life expectancy by country, 3 shots",
            source="data: Gapminder (CC0); a parabola a country, settings chosen here",
            settings=merge(
                GAPMINDER_TASKS,
                {
                    "model": {"kind": "polynomial", "degree": 2},
                    "meta": {"kind": "bayesian-head", "noise_std": 0.1},
                    "inner": {"kind": "closed-form", "num_inner_steps": 1},
                    "outer": {
                        "num_tasks": 25,
                        "num_steps": 2_000,
                        "optimizer": {"kind": "adam", "outer_lr": 1e-2},
                    },
                    "evaluation": {"num_inner_steps": 1},
                },
            ),
        ),
    ),
)
