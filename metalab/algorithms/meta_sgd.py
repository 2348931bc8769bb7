"""Meta-SGD: learn the initialisation and a learning rate for each parameter."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

LI_2017 = """@article{li2017metasgd,
  author = {Li, Zhenguo and Zhou, Fengwei and Chen, Fei and Li, Hang},
  title = {{Meta-SGD}: Learning to Learn Quickly for Few-Shot Learning},
  journal = {arXiv preprint arXiv:1707.09835},
  year = {2017},
}"""

RECIPE = Recipe(
    name="meta-sgd",
    title="Meta-SGD",
    family="Learned inner rates",
    synonyms=("learned learning rates",),
    source="Li, Zhou, Chen & Li 2017, equation 2",
    bibtex=(LI_2017,),
    summary="MAML that also learns the direction and length of each parameter's inner "
    "step.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {
            "kind": "learned-descent",
            "granularity": "per-parameter",
            "parameterisation": "linear",
        },
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="meta-sgd-sine",
            title="Meta-SGD on sines, 10 shots, 1 inner step",
            source="Li et al. 2017, section 4.1 (rates start in [0.005, 0.1], 4 tasks, "
            "10,000 of 60,000 steps), on MAML's sines; the paper also varies the "
            "frequency",
            settings=merge(
                SINE,
                {
                    "inner": {
                        "kind": "learned-descent",
                        "num_inner_steps": 1,
                        "inner_lr": 0.005,
                        "inner_lr_high": 0.1,
                    },
                    "outer": {"num_tasks": 4},
                    # Rates learned for one step explode at further ones.
                    "evaluation": {"num_inner_steps": 1},
                },
            ),
        ),
    ),
)
