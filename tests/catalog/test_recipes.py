"""Recipes and presets as data."""

from types import SimpleNamespace

import pytest

from metalab.catalog import recipes as recipes_module
from metalab.catalog.recipes import Preset, Recipe, merge, preset_settings, presets


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


@pytest.fixture
def installing(monkeypatch):
    """Pretend that installed packages register recipes; restore the catalog after."""

    def install(*recipes):
        entries = [SimpleNamespace(load=lambda r=r: r) for r in recipes]
        monkeypatch.setattr(recipes_module, "entry_points", lambda **_: entries)
        recipes_module.recipes.cache_clear()
        presets.cache_clear()
        return recipes_module.recipes

    yield install
    recipes_module.recipes.cache_clear()
    presets.cache_clear()


def test_third_parties_join_through_their_entry_point(installing):
    assert "mine" in installing(recipe("mine", "mine-sine"))()
    assert presets()["mine-sine"][0].name == "mine"


@pytest.mark.parametrize(
    "clash", [recipe("maml"), recipe("mine", "maml-sine"), recipe("maml-sine")]
)
def test_a_name_that_is_taken_is_an_error(installing, clash):
    with pytest.raises(ValueError, match="two recipes or presets are called 'maml"):
        installing(clash)()


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
