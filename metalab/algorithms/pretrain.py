"""Joint pre-training, then fine-tuning: the baseline of the MAML paper."""

from metalab.algorithms.maml import FINN_2017, SINE
from metalab.catalog.recipes import Preset, Recipe, merge

RECIPE = Recipe(
    name="pretrain",
    title="Joint pre-training",
    family="Baselines",
    synonyms=("multi-task", "fine-tuning", "transfer"),
    source='Finn, Abbeel & Levine 2017, section 5.1, "pretrained"',
    bibtex=(FINN_2017,),
    summary="Trains one network on the points of all tasks at once, as supervised "
    "learning does; adaptation is not thought of until afterwards.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "joint"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="pretrain-sine",
            title="Joint pre-training on sines, fine-tuned on 10 shots",
            source="Finn et al. 2017, section 5.1 and figure 2 (fine-tuning step 0.02 for "
            "10 shots; 10,000 of 70,000 steps)",
            settings=merge(SINE, {"inner": {"inner_lr": 0.02}}),
        ),
    ),
)
