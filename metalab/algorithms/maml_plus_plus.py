"""MAML++: learned step sizes, multi-step loss, derivative-order annealing."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

ANTONIOU_2019 = """@inproceedings{antoniou2019mamlpp,
  author = {Antoniou, Antreas and Edwards, Harrison and Storkey, Amos},
  title = {How to train your {MAML}},
  booktitle = {International Conference on Learning Representations},
  year = {2019},
}"""

RECIPE = Recipe(
    name="maml-plus-plus",
    title="MAML++",
    family="Learned inner rates",
    synonyms=("how to train your MAML", "LSLR", "MSL"),
    source="Antoniou, Edwards & Storkey 2019, section 4",
    bibtex=(ANTONIOU_2019,),
    summary="MAML with one learned rate for each layer and inner step, and an outer loss "
    "over all inner steps at first.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "learned-descent", "granularity": "per-layer-per-step"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}, "loss": "multi-step"},
    },
    presets=(
        Preset(
            name="maml-plus-plus-sine",
            title="MAML++ on sines, 10 shots, 5 inner steps",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1) with the parts "
            "of Antoniou et al. 2019 that are not about batch normalisation; that paper "
            "has no sine experiment, and here the rates are kept positive: learned as "
            "they are they turn large enough to diverge. The outer lr falls to 0 by a "
            "cosine, as the paper says; the authors' code lets it fall to where it began, "
            "so that there it is constant. Derivative-order annealing is off",
            settings=merge(
                SINE,
                {
                    "inner": {
                        "kind": "learned-descent",
                        "granularity": "per-layer-per-step",
                        "parameterisation": "exponential",
                        "num_inner_steps": 5,
                        "inner_lr": 0.01,
                    },
                    "outer": {"schedule": "cosine", "annealing_steps": 3_000},
                },
            ),
        ),
    ),
)
