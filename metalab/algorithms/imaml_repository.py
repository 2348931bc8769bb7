"""iMAML as its authors' code runs it, which differs from the paper."""

from metalab.algorithms.imaml import RAJESWARAN_2019
from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

RECIPE = Recipe(
    name="imaml-repository",
    title="iMAML, as in its code",
    family="Implicit gradients",
    synonyms=("implicit MAML", "conjugate gradient"),
    source="the authors' code of Rajeswaran, Finn, Kakade & Levine 2019",
    bibtex=(RAJESWARAN_2019,),
    summary="Adapts without the proximal term, pulls back once at the end, and solves "
    "another linear system than the paper's.",
    parts={
        "meta": {"kind": "anchor"},
        "inner": {"kind": "pull-back-descent"},
        "hypergradient": {"kind": "imaml-repository"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="imaml-repository-sine",
            title="iMAML as in its code, on sines, 16 inner steps and a pull-back",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1) with the settings "
            "of iMAML's Omniglot code (16 steps, strength 2, 5 CG iterations, CG damping "
            "1, Adam's epsilon 1e-3). The code has no sine experiment, so the rest is ours: "
            "inner lr 0.003, clipping at norm 1 and 3,000 outer steps at a rate that falls "
            "to 0, for the same reason as in imaml-sine: seeds 0 to 2 diverge within "
            "10,000 outer steps",
            settings=merge(
                SINE,
                {
                    "meta": {"kind": "anchor", "strength": 2.0},
                    "inner": {
                        "kind": "pull-back-descent",
                        "num_inner_steps": 17,
                        "inner_lr": 0.003,
                    },
                    "hypergradient": {
                        "kind": "imaml-repository",
                        "num_iterations": 5,
                        "cg_damping": 1.0,
                    },
                    "outer": {
                        "num_steps": 3_000,
                        "schedule": "cosine",
                        "clip_norm": 1.0,
                        "optimizer": {"epsilon": 1e-3},
                    },
                    "evaluation": {"num_inner_steps": 17},
                },
            ),
        ),
    ),
)
