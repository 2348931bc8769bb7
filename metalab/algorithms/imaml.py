"""iMAML: the implicit hypergradient of a proximal inner problem."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

RECIPE = Recipe(
    name="imaml",
    title="iMAML",
    source="Rajeswaran, Finn, Kakade & Levine 2019, algorithm 1",
    summary="Learns the anchor of a regularised inner problem, from its solution alone: "
    "the way there is not differentiated.",
    parts={
        "meta": {"kind": "anchor"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "implicit-cg"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="imaml-sine",
            title="iMAML on sines, 10 shots, 16 inner steps, 5 CG iterations",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1) with the inner "
            "loop of iMAML's Omniglot code (16 steps, 5 CG iterations); strength 0.5 is "
            "ours: the paper has no sine experiment",
            settings=merge(
                SINE,
                {
                    "meta": {"kind": "anchor", "strength": 0.5},
                    "inner": {"num_inner_steps": 16, "inner_lr": 0.05},
                    "hypergradient": {"kind": "implicit-cg", "num_iterations": 5},
                    "evaluation": {"num_inner_steps": 16},
                },
            ),
        ),
    ),
)
