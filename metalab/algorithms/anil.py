"""ANIL: MAML in which only the head adapts."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe

RAGHU_2020 = """@inproceedings{raghu2020anil,
  author = {Raghu, Aniruddh and Raghu, Maithra and Bengio, Samy and Vinyals, Oriol},
  title = {Rapid Learning or Feature Reuse? Towards Understanding the Effectiveness of {MAML}},
  booktitle = {International Conference on Learning Representations},
  year = {2020},
}"""

RECIPE = Recipe(
    name="anil",
    title="ANIL",
    family="Partial adaptation and context",
    synonyms=("almost no inner loop",),
    source="Raghu, Raghu, Bengio & Vinyals 2020, section 4",
    bibtex=(RAGHU_2020,),
    summary="MAML whose inner loop moves the last layer alone: the body is reused, not "
    "relearned.",
    parts={
        "meta": {"kind": "head"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="anil-sine",
            title="ANIL on sines, 10 shots, 1 inner step",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1) with ANIL's "
            "inner loop; the ANIL paper has no sine experiment",
            settings=SINE,
        ),
    ),
)
