"""Reptile: move the initialisation towards the adapted parameters."""

from metalab.catalog.recipes import Preset, Recipe

RECIPE = Recipe(
    name="reptile",
    title="Reptile",
    source="Nichol, Achiam & Schulman 2018, algorithm 1",
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
            settings={
                "tasks": {
                    "family": {"kind": "sinusoid"},
                    "num_shots": 50,
                    "num_queries": 10,
                },
                "model": {
                    "kind": "mlp",
                    "hidden_sizes": [64, 64],
                    "activation": "tanh",
                },
                "inner": {
                    "num_inner_steps": 5,
                    "inner_lr": 0.02,
                    "inner_batch_size": 10,
                },
                "outer": {
                    "num_tasks": 1,
                    "num_steps": 30_000,
                    "schedule": "linear",
                    "optimizer": {"outer_lr": 0.1},
                },
                "evaluation": {"num_shots": 10, "every": 500},
            },
        ),
    ),
)
