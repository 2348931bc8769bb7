"""MAML: exact hypergradient of an initialisation through K gradient steps."""

from metalab.catalog.recipes import Preset, Recipe

SINE = {
    "tasks": {"family": {"kind": "sinusoid"}, "num_shots": 10, "num_queries": 10},
    "model": {"kind": "mlp", "hidden_sizes": [40, 40], "activation": "relu"},
    "inner": {"num_inner_steps": 1, "inner_lr": 0.01},
    "outer": {"num_tasks": 25, "num_steps": 10_000, "optimizer": {"outer_lr": 1e-3}},
}
"""The sine protocol of Finn et al. 2017, section 5.1, with fewer outer steps."""

RECIPE = Recipe(
    name="maml",
    title="MAML",
    source="Finn, Abbeel & Levine 2017, algorithm 1",
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
            source="Finn et al. 2017, section 5.1 (10,000 of the paper's 70,000 steps; "
            "torch's default initialisation, the authors' code has a truncated normal)",
            settings=SINE,
        ),
    ),
)
