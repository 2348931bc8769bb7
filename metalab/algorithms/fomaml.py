"""FOMAML: MAML without the second derivatives."""

from metalab.algorithms.maml import FINN_2017, SINE
from metalab.catalog.recipes import Preset, Recipe

RECIPE = Recipe(
    name="fomaml",
    title="FOMAML",
    family="MAML and first-order",
    synonyms=("first-order",),
    source="Finn, Abbeel & Levine 2017, section 5.2",
    bibtex=(FINN_2017,),
    summary="MAML that treats the inner steps as constants: the query gradient at the "
    "adapted parameters moves the initialisation.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "first-order"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="fomaml-sine",
            title="First-order MAML on sines, 10 shots, 1 inner step",
            source="Finn et al. 2017, sections 5.1 and 5.2 (10,000 of 70,000 steps)",
            settings=SINE,
        ),
    ),
)
