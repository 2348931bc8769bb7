"""Reptile: move the initialisation towards the adapted parameters."""

import math

from metalab.catalog.recipes import Preset, Recipe, merge

DEMONSTRATION = {
    "tasks": {"family": {"kind": "sinusoid"}, "num_shots": 50, "num_queries": 10},
    "model": {"kind": "mlp", "hidden_sizes": [64, 64], "activation": "tanh"},
    "inner": {"num_inner_steps": 5, "inner_lr": 0.02, "inner_batch_size": 10},
    "outer": {
        "num_tasks": 1,
        "num_steps": 30_000,
        "schedule": "linear",
        "optimizer": {"outer_lr": 0.1},
    },
    "evaluation": {"num_shots": 10, "every": 500},
}
"""The sine demonstration of Nichol et al. 2018, but for its tasks."""

NICHOL_2018 = """@article{nichol2018reptile,
  author = {Nichol, Alex and Achiam, Joshua and Schulman, John},
  title = {On First-Order Meta-Learning Algorithms},
  journal = {arXiv preprint arXiv:1803.02999},
  year = {2018},
}"""

RECIPE = Recipe(
    name="reptile",
    title="Reptile",
    family="MAML and first-order",
    synonyms=("first-order",),
    source="Nichol, Achiam & Schulman 2018, algorithm 1",
    bibtex=(NICHOL_2018,),
    summary="Moves the initialisation a little towards where gradient descent on each "
    "task ends; needs neither a query set nor second derivatives.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "reptile"},
        "outer": {"optimizer": {"kind": "sgd"}},
    },
    presets=(
        Preset(
            name="reptile-sine",
            title="Reptile on MAML's sines, 5 inner minibatches of 10",
            source="Sine demonstration of Nichol et al. 2018 (one pass over 50 points, "
            "one task, step 0.1 decayed to 0, 30,000 steps), with MAML's phase range "
            "[0, pi] so that its losses compare; the demonstration draws [0, 2 pi]",
            settings=DEMONSTRATION,
        ),
        Preset(
            name="reptile-sine-paper",
            title="Reptile on its own sines: phase to 2 pi, a grid of 50 points",
            source="Sine demonstration of Nichol et al. 2018 (phase [0, 2 pi], inputs on "
            "50 points, 32 steps at evaluation); it draws the 10 shots of an evaluation "
            "with replacement, here they are 10 different points",
            settings=merge(
                DEMONSTRATION,
                {
                    "tasks": {
                        "family": {
                            "kind": "sinusoid",
                            "phase_max": 2 * math.pi,
                            "grid_points": 50,
                        }
                    },
                    "evaluation": {
                        "num_queries": 50,
                        "query_inputs": "grid",
                        "num_inner_steps": 32,
                    },
                },
            ),
        ),
    ),
)
