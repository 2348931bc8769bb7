"""Recipes and presets: named combinations, as data.

A recipe names one choice for each of the four parts. A preset is a recipe with the
settings of one published experiment. Each recipe is one file in `metalab.algorithms`, or
one entry point of the same group.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from metalab.catalog.registry import iter_modules, loaded_entry
from metalab.core.errors import UserError

ENTRY_POINT_GROUP = "metalab.algorithms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A recipe with every setting of one experiment.

    Attributes:
        name: Unique; carries the method, for example "maml-sine".
        title: One line for menus.
        source: Paper or code the settings come from.
        settings: Nested configuration that differs from the defaults.
    """

    name: str
    title: str
    source: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A named method.

    Attributes:
        name: Unique, lower case.
        title: As the field writes it.
        source: Citation.
        summary: One plain sentence.
        parts: Nested configuration that makes the method what it is; mostly kinds.
        presets: Published experiments with it.
    """

    name: str
    title: str
    source: str
    summary: str
    parts: Mapping[str, Any]
    presets: tuple[Preset, ...]


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the entries of `over`, tables merged key by key.

    Where `over` changes a table's `kind`, the table is replaced: the options of one
    component mean nothing to another.
    """
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if not isinstance(value, Mapping) or not isinstance(old, Mapping):
            merged[key] = value
        elif "kind" in value and value["kind"] != old.get("kind"):
            merged[key] = dict(value)
        else:
            merged[key] = merge(old, value)
    return merged


@cache
def recipes() -> Mapping[str, Recipe]:
    """Return every recipe by name.

    Raises:
        ValueError: Two recipes or presets share a name.
    """
    found: dict[str, Recipe] = {}
    loaded = [m.RECIPE for m in iter_modules("metalab.algorithms")]
    loaded += [loaded_entry(entry) for entry in entry_points(group=ENTRY_POINT_GROUP)]
    names: set[str] = set()
    for recipe in loaded:
        for name in (recipe.name, *(preset.name for preset in recipe.presets)):
            if name in names:
                raise ValueError(f"two recipes or presets are called {name!r}")
            names.add(name)
        found[recipe.name] = recipe
    return found


@cache
def presets() -> Mapping[str, tuple[Recipe, Preset]]:
    """Return every preset by name, with the recipe it belongs to."""
    return {
        preset.name: (recipe, preset)
        for recipe in recipes().values()
        for preset in recipe.presets
    }


def preset_settings(name: str) -> dict[str, Any]:
    """Return the nested configuration of a preset.

    Raises:
        UserError: No preset has that name.
    """
    if name not in presets():
        raise UserError(f"preset is {name!r}; allowed: {', '.join(presets())}")
    recipe, preset = presets()[name]
    # A copy through and through: the catalog's tables are shared by every preset.
    return deepcopy(
        merge(merge(recipe.parts, preset.settings), {"name": name, "preset": name})
    )
