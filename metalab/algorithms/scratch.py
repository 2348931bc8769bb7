"""Training from scratch on the support set: what no meta-learning gives."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

RECIPE = Recipe(
    name="scratch",
    title="From scratch",
    family="Baselines",
    synonyms=("random initialisation", "no meta-learning"),
    source="the baseline without meta-learning",
    summary="Starts every task from one random network and learns nothing from the "
    "others.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "first-order"},
        "outer": {"optimizer": {"kind": "none"}},
    },
    presets=(
        Preset(
            name="scratch-sine",
            title="From scratch on sines, 10 shots, 100 steps",
            source="MAML's sines and network (Finn et al. 2017, section 5.1); the step "
            "0.02 is that of its pre-trained baseline",
            settings=merge(
                SINE,
                {
                    "inner": {"num_inner_steps": 100, "inner_lr": 0.02},
                    "outer": {"num_steps": 100, "optimizer": {"kind": "none"}},
                    "evaluation": {"num_inner_steps": 100},
                },
            ),
        ),
    ),
)
