"""Gaussian process whose kernel and noise are learned over tasks."""

from metalab.algorithms.alpaca import NOISE_STD
from metalab.algorithms.maml import GAPMINDER_TASKS
from metalab.catalog.recipes import Preset, Recipe, merge

PROCESS = {
    "model": {"kind": "hilbert-basis"},
    "meta": {
        "kind": "bayesian-head",
        "noise_is": "learned",
        "prior_is": "unit-covariance",
    },
    "inner": {"kind": "closed-form", "num_inner_steps": 1},
    "evaluation": {"num_inner_steps": 1},
}

RASMUSSEN_2006 = """@book{rasmussen2006gaussian,
  author = {Rasmussen, Carl Edward and Williams, Christopher K. I.},
  title = {Gaussian Processes for Machine Learning},
  publisher = {MIT Press},
  year = {2006},
}"""

SOLIN_2020 = r"""@article{solin2020hilbert,
  author = {Solin, Arno and S{\"a}rkk{\"a}, Simo},
  title = {{Hilbert} space methods for reduced-rank {Gaussian} process regression},
  journal = {Statistics and Computing},
  volume = {30},
  number = {2},
  pages = {419--446},
  year = {2020},
}"""

RECIPE = Recipe(
    name="gaussian-process",
    title="Gaussian process",
    family="Baselines",
    synonyms=(
        *("GP", "kriging", "learned kernel", "squared exponential", "RBF"),
        "empirical Bayes",
    ),
    source="Rasmussen & Williams 2006, section 2.2; reduced rank: Solin & Särkkä 2020",
    bibtex=(
        RASMUSSEN_2006,
        SOLIN_2020,
    ),
    summary="Each task is a curve of one Gaussian process; the outer loop learns its mean, "
    "length-scale, signal and noise by the likelihood of the query set, and a task "
    "conditions it on its support set.",
    parts={
        "model": {"kind": "hilbert-basis"},
        "meta": PROCESS["meta"],
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="gaussian-process-sine",
            title="Gaussian process on noisy sines, 10 shots",
            source="tasks as alpaca-sine; the process and its settings chosen here",
            settings=merge(
                PROCESS,
                {
                    "tasks": {
                        "family": {"kind": "sinusoid", "noise_std": NOISE_STD},
                        "num_shots": 10,
                        "num_queries": 20,
                    },
                    "outer": {
                        "num_tasks": 10,
                        "num_steps": 1_000,
                        "optimizer": {"kind": "adam", "outer_lr": 1e-2},
                    },
                },
            ),
        ),
        Preset(
            name="gaussian-process-gapminder",
            title="Gaussian process on life expectancy by country, 3 shots",
            source="data: Gapminder (CC0); the process and its settings chosen here",
            settings=merge(
                merge(GAPMINDER_TASKS, PROCESS),
                {
                    "outer": {
                        "num_tasks": 25,
                        "num_steps": 2_000,
                        "optimizer": {"kind": "adam", "outer_lr": 1e-2},
                    },
                },
            ),
        ),
    ),
)
