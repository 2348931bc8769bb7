"""ALPaCA: Bayesian linear regression on meta-learned features."""

from metalab.algorithms.maml import GAPMINDER_TASKS
from metalab.catalog.recipes import Preset, Recipe, merge

NOISE_STD = 0.1414
"""Root of the noise variance 0.02 of the authors' configuration."""

HARRISON_2018 = """@inproceedings{harrison2018alpaca,
  author = {Harrison, James and Sharma, Apoorva and Pavone, Marco},
  title = {Meta-Learning Priors for Efficient Online {Bayesian} Regression},
  booktitle = {Workshop on the Algorithmic Foundations of Robotics},
  note = {arXiv:1807.08912},
  year = {2018},
}"""

RECIPE = Recipe(
    name="alpaca",
    title="Bayesian head (ALPaCA)",
    family="Closed-form heads",
    synonyms=("Bayesian linear regression",),
    source="Harrison, Sharma & Pavone 2018, section 4",
    bibtex=(HARRISON_2018,),
    summary="A task conditions a Bayesian linear regression on shared features; the outer "
    "loop learns features and prior by the likelihood of the query set.",
    parts={
        "meta": {"kind": "bayesian-head"},
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="alpaca-sine",
            title="Bayesian head on noisy sines, 10 shots",
            source="Harrison et al. 2018, code (`sinusoid-config.yml`: noise variance "
            "0.02, features 128-128-32 tanh, 10 tasks, 20 query points, 3,000 steps); the "
            "code draws 0 to 10 context points a task, here there are always 10",
            settings={
                "tasks": {
                    "family": {"kind": "sinusoid", "noise_std": NOISE_STD},
                    "num_shots": 10,
                    "num_queries": 20,
                },
                "model": {
                    "kind": "mlp",
                    "hidden_sizes": [128, 128, 32],
                    "activation": "tanh",
                },
                "meta": {"kind": "bayesian-head", "noise_std": NOISE_STD},
                "inner": {"kind": "closed-form", "num_inner_steps": 1},
                "outer": {
                    "num_tasks": 10,
                    "num_steps": 3_000,
                    "optimizer": {"kind": "adam", "outer_lr": 1e-3},
                },
                "evaluation": {"num_inner_steps": 1},
            },
        ),
        Preset(
            name="alpaca-gapminder",
            title="Bayesian head on life expectancy by country, 3 shots",
            source="data: Gapminder (CC0); learner as alpaca-sine, settings chosen here",
            settings=merge(
                GAPMINDER_TASKS,
                {
                    "model": {
                        "kind": "mlp",
                        "hidden_sizes": [32, 32],
                        "activation": "tanh",
                    },
                    "meta": {"kind": "bayesian-head", "noise_std": NOISE_STD},
                    "inner": {"kind": "closed-form", "num_inner_steps": 1},
                    "outer": {
                        "num_tasks": 10,
                        "num_steps": 3_000,
                        "optimizer": {"kind": "adam", "outer_lr": 1e-3},
                    },
                    "evaluation": {"num_inner_steps": 1},
                },
            ),
        ),
    ),
)
