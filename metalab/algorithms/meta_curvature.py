"""Meta-Curvature: learn the initialisation and a preconditioner of inner gradients."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

PARK_2019 = """@inproceedings{park2019metacurvature,
  author = {Park, Eunbyung and Oliva, Junier B.},
  title = {Meta-Curvature},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
}"""

RECIPE = Recipe(
    name="meta-curvature",
    title="Meta-Curvature",
    family="Learned inner rates",
    synonyms=("learned preconditioner", "preconditioned gradient descent"),
    source="Park & Oliva 2019, equations 5 to 9",
    bibtex=(PARK_2019,),
    summary="MAML that also learns what every inner gradient is multiplied by: one matrix "
    "for each axis of each weight array.",
    parts={
        "meta": {"kind": "initialisation"},
        "inner": {"kind": "meta-curvature"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="meta-curvature-sine",
            title="Meta-Curvature on sines, 10 shots, 1 inner step",
            source="the method of Park & Oliva 2019 in the sine protocol of Finn et al. 2017, "
            "section 5.1",
            settings=merge(SINE, {"inner": {"kind": "meta-curvature"}}),
        ),
    ),
)
