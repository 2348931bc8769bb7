"""MMAML: look at the support set, modulate the network, then adapt it."""

from metalab.algorithms.maml import MULTIMODAL
from metalab.catalog.recipes import Preset, Recipe, merge

VUORIO_2019 = """@inproceedings{vuorio2019mmaml,
  author = {Vuorio, Risto and Sun, Shao-Hua and Hu, Hexiang and Lim, Joseph J.},
  title = {Multimodal Model-Agnostic Meta-Learning via Task-Aware Modulation},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019},
}"""

RECIPE = Recipe(
    name="mmaml",
    title="MMAML (modulated MAML)",
    family="Partial adaptation and context",
    synonyms=("multimodal", "FiLM"),
    source="Vuorio, Sun, Hu & Lim 2019, algorithm 1",
    bibtex=(VUORIO_2019,),
    summary="Guesses the kind of task from its support set, modulates the initialisation "
    "accordingly, and adapts from there.",
    parts={
        "meta": {"kind": "modulated"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="mmaml-multimodal",
            title="MMAML on sines and lines, two modes, 5 shots, 5 inner steps",
            source="Vuorio et al. 2019, code of the regression experiments (as "
            "maml-multimodal, and inner gradients clamped at 10), with an encoder that is "
            "a mean over points in place of the recurrent one, and FiLM on every hidden "
            "layer, where the code conditions the first alone",
            settings=merge(
                MULTIMODAL,
                {"meta": {"kind": "modulated"}, "inner": {"inner_clamp": 10.0}},
            ),
        ),
    ),
)
