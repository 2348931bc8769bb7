"""MAML: exact hypergradient of an initialisation through K gradient steps."""

from metalab.catalog.recipes import Preset, Recipe, merge
from metalab.core.assets import GAPMINDER, PHARMACOKINETICS

SINE = {
    "tasks": {"family": {"kind": "sinusoid"}, "num_shots": 10, "num_queries": 10},
    "model": {"kind": "mlp", "hidden_sizes": [40, 40], "activation": "relu"},
    "inner": {"num_inner_steps": 1, "inner_lr": 0.01},
    "outer": {"num_tasks": 25, "num_steps": 10_000, "optimizer": {"outer_lr": 1e-3}},
}
"""The sine protocol of Finn et al. 2017, section 5.1, with fewer outer steps."""

PAPER_STEPS = {"outer": {"num_steps": 70_000}}

MULTIMODAL = {
    "tasks": {
        "family": {"kind": "multimodal", "num_modes": 2, "noise_std": 0.3},
        "num_shots": 5,
        "num_queries": 5,
    },
    "model": {"kind": "mlp", "hidden_sizes": [100, 100, 100]},
    "inner": {"num_inner_steps": 5, "inner_lr": 0.001},
    "outer": {
        "num_tasks": 50,
        "num_steps": 10_000,
        "clip_norm": 2.0,
        "optimizer": {"outer_lr": 1e-3},
    },
}
"""The two-mode protocol of MMAML's code, with fewer outer steps."""

GAPMINDER_TASKS = {
    "tasks": {
        "family": {
            "kind": "table",
            "data": GAPMINDER,
            "task": "country",
            "x": "year",
            "y": "lifeExp",
        },
        "num_shots": 3,
        "num_queries": 9,
    },
    "evaluation": {"every": 200},
}
"""Life expectancy of countries never trained on, from 3 of their 12 years."""

TABLE = {
    "model": {"kind": "mlp", "hidden_sizes": [40, 40], "activation": "tanh"},
    "inner": {"num_inner_steps": 5, "inner_lr": 0.05},
    "outer": {"num_tasks": 25, "num_steps": 8_000, "optimizer": {"outer_lr": 1e-3}},
    "evaluation": {"num_inner_steps": 10, "every": 200},
}
"""A learner for standardised tables of small tasks."""

FINN_2017 = """@inproceedings{finn2017maml,
  author = {Finn, Chelsea and Abbeel, Pieter and Levine, Sergey},
  title = {Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks},
  booktitle = {Proceedings of the 34th International Conference on Machine Learning},
  series = {Proceedings of Machine Learning Research},
  volume = {70},
  pages = {1126--1135},
  year = {2017},
}"""

RECIPE = Recipe(
    name="maml",
    title="MAML",
    family="MAML and first-order",
    synonyms=("model-agnostic meta-learning", "second-order"),
    source="Finn, Abbeel & Levine 2017, algorithm 1",
    bibtex=(FINN_2017,),
    summary="Learns an initialisation from which a few gradient steps solve a task, "
    "by differentiating through those steps.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="maml-sine",
            title="MAML on sines, 10 shots, 1 inner step",
            source="Finn et al. 2017, section 5.1 (torch's default initialisation, the "
            "authors' code has a truncated normal)",
            settings=merge(SINE, PAPER_STEPS),
        ),
        *[
            Preset(
                name=f"maml-sine-{shots}",
                title=f"MAML on sines, {shots} shots, 1 inner step",
                source="Finn et al. 2017, section 5.1 (as maml-sine)",
                settings=merge(
                    merge(SINE, PAPER_STEPS),
                    {"tasks": {"num_shots": shots, "num_queries": shots}},
                ),
            )
            for shots in (5, 20)
        ],
        Preset(
            name="maml-sine-or-line",
            title="MAML on noisy sines and lines, 10 shots",
            source="Task distribution of Finn, Xu & Levine 2018 (PLATIPUS), noise 0.3 as "
            "remembered; learner and settings as maml-sine",
            settings=merge(
                SINE,
                {"tasks": {"family": {"kind": "sine-or-line", "noise_std": 0.3}}},
            ),
        ),
        Preset(
            name="maml-multimodal",
            title="MAML on sines and lines, two modes, 5 shots, 5 inner steps",
            source="Vuorio, Sun, Hu & Lim 2019 (MMAML), code of the regression "
            "experiments (noise 0.3, 100-100-100, 5 steps of 0.001, 50 tasks; 10,000 of "
            "70,000 steps); the code also feeds the network 20 learned constants (a bias "
            "transformation), which are left out here: meta.kind extra-inputs has them",
            settings=MULTIMODAL,
        ),
        Preset(
            name="maml-gapminder",
            title="MAML on life expectancy by country, 3 shots, 5 inner steps",
            source="data: Gapminder, in Jennifer Bryan's R package gapminder (CC0); "
            "learner and settings chosen here",
            settings=merge(GAPMINDER_TASKS, TABLE),
        ),
        Preset(
            name="maml-pharmacokinetics",
            title="MAML on simulated drug concentrations, from the first 3 points",
            source="data simulated by packaging/simulate_pharmacokinetics.py: no patient "
            "is in it; learner and settings chosen here",
            settings=merge(
                TABLE,
                {
                    "tasks": {
                        "family": {
                            "kind": "table",
                            "data": PHARMACOKINETICS,
                            "task": "subject",
                            "x": "hours",
                            "y": "mg_per_l",
                            "support": "first",
                        },
                        "num_shots": 3,
                        "num_queries": 9,
                    },
                },
            ),
        ),
    ),
)
