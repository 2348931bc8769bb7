"""BOIL: MAML in which all layers but the head adapt."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe

OH_2021 = """@inproceedings{oh2021boil,
  author = {Oh, Jaehoon and Yoo, Hyungjun and Kim, ChangHwan and Yun, Se-Young},
  title = {{BOIL}: Towards Representation Change for Few-shot Learning},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
}"""

RECIPE = Recipe(
    name="boil",
    title="BOIL",
    family="Partial adaptation and context",
    synonyms=("body only update in inner loop",),
    source="Oh, Yoo, Kim & Yun 2021, section 3",
    bibtex=(OH_2021,),
    summary="MAML whose inner loop leaves the last layer alone: representations change, "
    "the head is shared.",
    parts={
        "meta": {"kind": "body"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="boil-sine",
            title="BOIL on sines, 10 shots, 1 inner step",
            source="MAML's sine protocol (Finn et al. 2017, section 5.1) with BOIL's "
            "inner loop; the BOIL paper has no sine experiment",
            settings=SINE,
        ),
    ),
)
