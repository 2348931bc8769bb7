"""Recipes and presets as data."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from metalab.catalog import plugins as plugins_module
from metalab.catalog.recipes import (
    FAMILIES,
    OTHER_FAMILY,
    Preset,
    Recipe,
    merge,
    plugins,
    preset_settings,
    presets,
    recipes,
)
from metalab.core.inner.gradient_descent import GradientDescent


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        # Another kind: the options of the old one mean nothing.
        (
            {"a": {"kind": "x", "b": 1}},
            {"a": {"kind": "y"}},
            {"a": {"kind": "y"}},
        ),
        (
            {"a": {"kind": "x", "b": 1}},
            {"a": {"kind": "x", "c": 2}},
            {"a": {"kind": "x", "b": 1, "c": 2}},
        ),
    ],
)
def test_tables_merge_key_by_key(base, over, merged):
    before = repr(base), repr(over)
    assert merge(base, over) == merged
    assert (repr(base), repr(over)) == before


def recipe(name, *preset_names):
    return Recipe(
        name=name,
        title=name,
        source="Here",
        summary="Nothing.",
        parts={},
        presets=tuple(
            Preset(name=n, title=n, source="Here", settings={}) for n in preset_names
        ),
    )


CACHED = (recipes, plugins, presets)


@pytest.fixture
def installing(monkeypatch):
    """Pretend that installed packages register recipes; restore the catalog after."""

    def forget():
        for function in CACHED:
            function.cache_clear()

    def install(*found):
        entries = [SimpleNamespace(name="x", load=lambda r=r: r) for r in found]
        monkeypatch.setattr(plugins_module, "entry_points", lambda **_: entries)
        forget()
        return recipes

    yield install
    forget()


def test_third_parties_join_through_their_entry_point(installing):
    assert "mine" in installing(recipe("mine", "mine-sine"))()
    assert presets()["mine-sine"][0].name == "mine"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (recipe("maml"), "its recipe is called 'maml', a name that is taken"),
        (recipe("bad", "maml-sine"), "its preset is called 'maml-sine', a name that"),
        (recipe("maml-sine"), "its recipe is called 'maml-sine', a name that is taken"),
        (recipe("bad", "bad"), "its preset is called 'bad', a name that is taken"),
        (recipe("bad", "b", "b"), "its preset is called 'b', a name that is taken"),
        (recipe("mine"), "its recipe is called 'mine', a name that is taken"),
        (recipe("Bad name"), "its recipe is called 'Bad name'; allowed: lower-case"),
        (replace(recipe("bad"), presets=None), "presets of recipe 'bad' is no tuple"),
        (replace(recipe("bad"), title=3), "title and source of 'bad' are no texts"),
        (replace(recipe("bad"), parts=[1]), "the settings of 'bad' are no mapping"),
        (replace(recipe("bad"), family=3), "the family of recipe 'bad' is no text"),
        (
            replace(recipe("bad"), synonyms="R2-D2"),
            "the synonyms of recipe 'bad' are no",
        ),
        (
            GradientDescent,
            "it is class GradientDescent; 'metalab.algorithms' takes a Recipe of "
            "metalab.catalog.recipes, which names parts that there are; the parts",
        ),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(installing, found, reason):
    before = set(recipes())
    names = set(installing(recipe("mine"), found, recipe("yours"))())
    assert names == before | {"mine", "yours"}
    (problem,) = plugins().problems
    start = "entry point 'x' of a package in 'metalab.algorithms' is left out: "
    assert problem.startswith(start + reason)


def test_a_preset_carries_its_name_and_its_recipe_s_parts():
    settings = preset_settings("reptile-sine")
    assert settings["name"] == "reptile-sine"
    assert settings["hypergradient"] == {"kind": "reptile"}
    assert settings["outer"]["optimizer"] == {"kind": "sgd", "outer_lr": 0.1}


def test_settings_of_one_preset_do_not_leak_into_another():
    mine = preset_settings("maml-sine")
    mine["outer"]["num_steps"] = 1
    mine["tasks"]["family"]["kind"] = "other"
    mine["model"]["hidden_sizes"].append(3)
    for name, num_steps in (("maml-sine", 70_000), ("fomaml-sine", 10_000)):
        settings = preset_settings(name)
        assert settings["outer"]["num_steps"] == num_steps
        assert settings["tasks"]["family"]["kind"] == "sinusoid"
        assert settings["model"]["hidden_sizes"] == [40, 40]


def test_every_recipe_of_our_own_has_a_family_that_menus_know():
    families = {recipe.name: recipe.family for recipe in recipes().values()}
    assert set(families.values()) == set(FAMILIES)
    assert families["alpaca"] == families["ridge"] == "Closed-form heads"
    assert OTHER_FAMILY not in FAMILIES
    ranks = [recipe.family_rank for recipe in recipes().values()]
    assert max(ranks) < len(FAMILIES)
