"""Only the catalog and the recipes know methods and components by name."""

import ast
from pathlib import Path

import pytest

import metalab
from metalab.catalog.recipes import presets, recipes
from metalab.catalog.slots import SLOTS
from tests.support.findings import check_each

ROOT = Path(metalab.__file__).parent
ALLOWED = (ROOT / "algorithms", ROOT / "catalog")
SQLITES_WORD = "table"
"""Also the name of a task family."""
NAMES = {*recipes(), *presets()} | {
    name for registry in SLOTS.values() for name in registry.components
} - {SQLITES_WORD}
SOURCES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not any(path.is_relative_to(folder) for folder in ALLOWED)
]


def compared_words(tree):
    """Yield every text that a comparison or a match has on either side."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        else:
            continue
        for side in sides:
            for leaf in ast.walk(side):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf.value, node.lineno


def test_no_branch_asks_for_a_name():
    def check(path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        asked = [(word, line) for word, line in compared_words(tree) if word in NAMES]
        assert not asked, f"asks for a component by name: {asked}"

    check_each(SOURCES, check)


@pytest.mark.parametrize(
    "code",
    [
        "if kind == 'maml': pass",
        "x = 1 if 'reptile' != kind else 2",
        "if kind in ('fomaml', 'maml'): pass",
        "match kind:\n    case 'unrolled' | 'other': pass",
    ],
)
def test_the_search_finds_what_it_looks_for(code):
    assert any(word in NAMES for word, _ in compared_words(ast.parse(code)))
