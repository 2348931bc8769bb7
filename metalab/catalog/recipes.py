"""Recipes and presets: named combinations, as data.

A recipe names one choice for each of the four parts. A preset is a recipe with the
settings of one published experiment. Each recipe is one file in `metalab.algorithms`, or
one entry point of the same group, or stands in a plug-in file.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from metalab.catalog.plugins import (
    Plugins,
    UnfitError,
    check_name,
    described,
    load_plugins,
    take_from_files,
)
from metalab.catalog.registry import iter_modules
from metalab.core.errors import UserError

ENTRY_POINT_GROUP = "metalab.algorithms"
OTHER_FAMILY = "Others"
"""Of recipes that name none."""
FAMILIES = (
    "MAML and first-order",
    "Learned inner rates",
    "Partial adaptation and context",
    "Implicit gradients",
    "Closed-form heads",
    "Baselines",
)
"""Families of methods in the order of menus; those that third parties add follow."""


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
        family: Title of the family of methods that menus list it in.
        synonyms: What else people call it; a search finds it by these too.
        bibtex: Entries of `source`, as papers cite it; none for what nobody published.
    """

    name: str
    title: str
    source: str
    summary: str
    parts: Mapping[str, Any]
    presets: tuple[Preset, ...]
    family: str = OTHER_FAMILY
    synonyms: tuple[str, ...] = ()
    bibtex: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is called: name, title, synonyms."""
        return self.name, self.title, *self.synonyms

    @property
    def family_rank(self) -> int:
        """Place of its family in menus."""
        known = self.family in FAMILIES
        return FAMILIES.index(self.family) if known else len(FAMILIES)


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
    """Return every recipe by name; those of third parties are the last.

    Raises:
        ValueError: Two recipes or presets of our own share a name.
    """
    found: dict[str, Recipe] = {}
    for recipe in _own_recipes():
        found[recipe.name] = recipe
    for recipe, _ in plugins().values:
        found[recipe.name] = recipe
    return found


@cache
def plugins() -> Plugins:
    """Return the recipes that third parties register, and what is wrong with others."""
    taken: dict[str, Recipe] = {}
    for recipe in _own_recipes():
        taken |= dict.fromkeys(_names(recipe), recipe)

    def check(value: Any) -> None:
        _check(value, taken)
        taken.update((name, value) for name in _names(value))

    def take(value: Any) -> Any:
        check(value)
        return value

    registered = load_plugins(ENTRY_POINT_GROUP, check)
    own = take_from_files(lambda value: isinstance(value, Recipe), take)
    named = tuple((recipe, f"plug-in {file.path}") for recipe, file in own.values)
    return Plugins(
        values=(*registered.values, *named),
        problems=(*registered.problems, *own.problems),
    )


@cache
def _own_recipes() -> tuple[Recipe, ...]:
    found = tuple(module.RECIPE for module in iter_modules("metalab.algorithms"))
    names: set[str] = set()
    for name in (name for recipe in found for name in _names(recipe)):
        if name in names:
            raise ValueError(f"two recipes or presets are called {name!r}")
        names.add(name)
    return found


def _names(recipe: Recipe) -> tuple[str, ...]:
    return (recipe.name, *(preset.name for preset in recipe.presets))


def _check(value: Any, taken: Mapping[str, Recipe]) -> None:
    """Refuse what is no recipe, or whose names cannot be used.

    Raises:
        UnfitError: Says why.
    """
    if not isinstance(value, Recipe):
        raise UnfitError(
            f"it is {described(value)}; {ENTRY_POINT_GROUP!r} takes a Recipe of "
            "metalab.catalog.recipes, which names parts that there are; the parts "
            "themselves have groups of their own (metalab.inner and others)"
        )
    check_name("recipe", value.name, taken)
    # Declared, but nobody checks what a third party puts there.
    brought: Any = value.presets
    if not isinstance(brought, tuple) or not all(
        isinstance(entry, Preset) for entry in brought
    ):
        raise UnfitError(f"presets of recipe {value.name!r} is no tuple of Preset")
    seen: dict[str, object] = {**taken, value.name: value}
    for preset in value.presets:
        check_name("preset", preset.name, seen)
        seen[preset.name] = preset
        _check_texts(preset.name, preset.title, preset.source, preset.settings)
    _check_texts(value.name, value.title, value.source, value.parts)
    family: Any = value.family
    if not isinstance(family, str) or not family:
        raise UnfitError(f"the family of recipe {value.name!r} is no text")
    words: Any = value.synonyms
    if not isinstance(words, tuple) or not all(isinstance(w, str) for w in words):
        raise UnfitError(f"the synonyms of recipe {value.name!r} are no tuple of texts")
    entries: Any = value.bibtex
    if not isinstance(entries, tuple) or not all(
        isinstance(entry, str) and entry.lstrip().startswith("@") for entry in entries
    ):
        raise UnfitError(
            f"bibtex of recipe {value.name!r} is no tuple of BibTeX entries, which begin "
            "with @"
        )


def _check_texts(name: str, title: Any, source: Any, settings: Any) -> None:
    if not isinstance(title, str) or not isinstance(source, str):
        raise UnfitError(f"title and source of {name!r} are no texts")
    if not isinstance(settings, Mapping):
        raise UnfitError(f"the settings of {name!r} are no mapping")


@cache
def presets() -> Mapping[str, tuple[Recipe, Preset]]:
    """Return every preset by name, with the recipe it belongs to."""
    return {
        preset.name: (recipe, preset)
        for recipe in recipes().values()
        for preset in recipe.presets
    }


def preset_named(name: str, *, family: str | None = None) -> str:
    """Return the preset that a name means: of a recipe, one of its own.

    Args:
        name: Of a preset, or of a recipe.
        family: Task family that a recipe's preset should have, if it has such a one.

    Raises:
        UserError: Nothing has that name.
    """
    if name in presets() or name not in recipes():
        _ = preset_settings(name)
        return name
    own = recipes()[name].presets
    if not own:
        raise UserError(f"preset is {name!r}, a recipe without presets")
    fitting = (p.name for p in own if _family(p) == family)
    return next(fitting, own[0].name)


def _family(preset: Preset) -> object:
    return preset.settings.get("tasks", {}).get("family", {}).get("kind")


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
