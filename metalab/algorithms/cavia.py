"""CAVIA: adapt a context vector, share the network."""

from metalab.algorithms.maml import SINE
from metalab.catalog.recipes import Preset, Recipe, merge

ZINTGRAF_2019 = """@inproceedings{zintgraf2019cavia,
  author = {Zintgraf, Luisa and Shiarli, Kyriacos and Kurin, Vitaly and Hofmann, Katja and Whiteson, Shimon},
  title = {Fast Context Adaptation via Meta-Learning},
  booktitle = {Proceedings of the 36th International Conference on Machine Learning},
  series = {Proceedings of Machine Learning Research},
  volume = {97},
  pages = {7693--7702},
  year = {2019},
}"""

RECIPE = Recipe(
    name="cavia",
    title="CAVIA",
    family="Partial adaptation and context",
    synonyms=("context adaptation", "fast context"),
    source="Zintgraf, Shiarlis, Kurin, Hofmann & Whiteson 2019, section 3.1",
    bibtex=(ZINTGRAF_2019,),
    summary="A task adapts a few extra inputs from zero; the network itself is shared "
    "and learned by the outer loop.",
    parts={
        "meta": {"kind": "context"},
        "inner": {"kind": "gradient-descent"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "adam"}},
    },
    presets=(
        Preset(
            name="cavia-sine",
            title="CAVIA on sines, 10 shots, 5 context parameters",
            source="Zintgraf et al. 2019, section 5.1 and code (inner lr 1, 25 tasks; "
            "10,000 of 50,000 steps; the code clamps each task's hypergradient to +-10, "
            "here its norm is clipped at 10)",
            settings=merge(
                SINE,
                {
                    "meta": {"kind": "context", "context_dim": 5},
                    "inner": {"inner_lr": 1.0},
                    "outer": {"clip_norm": 10.0},
                },
            ),
        ),
    ),
)
