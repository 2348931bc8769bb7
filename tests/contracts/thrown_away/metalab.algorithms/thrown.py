"""A recipe of what was thrown in."""

from metalab.catalog.recipes import Preset, Recipe

RECIPE = Recipe(
    name="thrown",
    title="Thrown",
    family="MAML and first-order",
    source="Here",
    summary="Everything that was thrown in.",
    parts={
        "meta": {"kind": "thrown-start"},
        "inner": {"kind": "thrown-descent"},
        "hypergradient": {"kind": "thrown-estimator"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="thrown-small",
            title="Thrown planes",
            source="Here",
            settings={
                "tasks": {"family": {"kind": "thrown-plane"}},
                "model": {"kind": "thrown-model"},
                "loss": {"kind": "thrown-loss"},
                "outer": {"num_steps": 300},
            },
        ),
    ),
)
