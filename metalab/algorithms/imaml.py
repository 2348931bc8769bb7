"""iMAML: the implicit hypergradient of a proximal inner problem."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

RAJESWARAN_2019 = """@inproceedings{rajeswaran2019imaml,
  author = {Rajeswaran, Aravind and Finn, Chelsea and Kakade, Sham M. and Levine, Sergey},
  title = {Meta-Learning with Implicit Gradients},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
}"""

RECIPE = Recipe(
    name="imaml",
    title="iMAML",
    family="Implicit gradients",
    synonyms=("implicit MAML", "conjugate gradient"),
    source="Rajeswaran, Finn, Kakade & Levine 2019, algorithm 1",
    bibtex=(RAJESWARAN_2019,),
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
            "loop of iMAML's Omniglot code (16 steps, 5 CG iterations). The paper has no "
            "sine experiment, so the rest is ours: strength 10, with which most of the "
            "linear systems are positive definite; inner lr 0.001, clipping at norm 1 and "
            "3,000 outer steps at a rate that falls to 0, because the implicit "
            "hypergradient does not see the inner steps: at larger inner rates or after "
            "longer training they overshoot and the run diverges",
            settings=merge(
                SINE,
                {
                    "meta": {"kind": "anchor", "strength": 10.0},
                    "inner": {"num_inner_steps": 16, "inner_lr": 0.001},
                    "outer": {
                        "num_steps": 3_000,
                        "schedule": "cosine",
                        "clip_norm": 1.0,
                    },
                    "hypergradient": {"kind": "implicit-cg", "num_iterations": 5},
                    "evaluation": {"num_inner_steps": 16},
                },
            ),
        ),
    ),
)
