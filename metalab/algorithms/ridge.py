"""R2-D2: a ridge-regression head on meta-learned features."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

BERTINETTO_2019 = r"""@inproceedings{bertinetto2019r2d2,
  author = {Bertinetto, Luca and Henriques, Jo{\~a}o F. and Torr, Philip H. S. and Vedaldi, Andrea},
  title = {Meta-learning with differentiable closed-form solvers},
  booktitle = {International Conference on Learning Representations},
  year = {2019},
}"""

RECIPE = Recipe(
    name="ridge",
    title="Ridge head (R2-D2)",
    family="Closed-form heads",
    synonyms=("ridge regression", "R2D2"),
    source="Bertinetto, Henriques, Torr & Vedaldi 2019, section 3.2",
    bibtex=(BERTINETTO_2019,),
    summary="A task solves ridge regression on shared features in closed form; the outer "
    "loop learns features and strength through the solve.",
    parts={
        "meta": {"kind": "ridge-head"},
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="ridge-sine",
            title="Ridge head on sines, 10 shots, learned strength",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1); strength 1 at "
            "first is ours: the paper has no sine experiment",
            settings=merge(
                SINE,
                {
                    "meta": {"kind": "ridge-head", "strength": 1.0},
                    "inner": {
                        "kind": "closed-form",
                        "num_inner_steps": 1,
                    },
                    "evaluation": {"num_inner_steps": 1},
                },
            ),
        ),
        Preset(
            name="ridge-hyperparameter",
            title="Ridge strength of noisy linear regression, known answer",
            source="the hyperparameter problem of Pedregosa 2016 and Franceschi et al. "
            "2017; with normal weights the best strength is noise over weight variance, "
            "here 4",
            settings={
                "tasks": {
                    "family": {"kind": "ridge-regression"},
                    "num_shots": 15,
                    "num_queries": 20,
                },
                "model": {"kind": "mlp", "hidden_sizes": []},
                "meta": {"kind": "ridge-head", "strength": 0.01},
                "inner": {"kind": "closed-form", "num_inner_steps": 1},
                "outer": {
                    "num_tasks": 25,
                    "num_steps": 3_000,
                    "schedule": "cosine",
                    "optimizer": {"kind": "adam", "outer_lr": 0.02},
                },
                "evaluation": {"num_inner_steps": 1},
            },
        ),
    ),
)
