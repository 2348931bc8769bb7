"""Discovery of components, built in and of third parties."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import pytest

from metalab.catalog import plugins as plugins_module
from metalab.catalog.registry import Registry
from metalab.catalog.slots import (
    INNER_LOOPS,
    META_PARAMETERISATIONS,
    OUTER_OPTIMIZERS,
    SLOTS,
    TASK_FAMILIES,
)
from metalab.core.inner.base import InnerLoop
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.meta.base import MetaParameterisation
from metalab.core.tasks import TaskDistribution, TaskFamily
from metalab.tasks.sinusoid import Sinusoid
from tests.support.plugin import Plane

CLOSED = Registry(
    slot="task family",
    base=TaskDistribution,
    package="metalab.tasks",
    label="Task family",
    help="What tasks are drawn from.",
)
"""To which third parties add nothing."""


def offering(monkeypatch, *components):
    """Pretend that installed packages register these; return a fresh registry."""
    entries = [SimpleNamespace(name="x", load=lambda c=c: c) for c in components]
    monkeypatch.setattr(
        plugins_module,
        "entry_points",
        lambda group: entries if group == "metalab.tasks" else [],
    )
    return replace(CLOSED, entry_point_group="metalab.tasks")


def test_built_in_components_are_found_by_being_there():
    assert TASK_FAMILIES.components["sinusoid"] is Sinusoid
    assert list(OUTER_OPTIMIZERS.components) == ["adam", "none", "sgd"]


def test_abstract_and_imported_classes_are_not_components():
    for registry in SLOTS.values():
        for component in registry.components.values():
            assert component is not registry.base
            assert component.__module__.startswith(registry.package)


def test_third_parties_join_through_their_entry_point(monkeypatch):
    registry = offering(monkeypatch, Plane)
    assert set(registry.components) == {*TASK_FAMILIES.components, "plane"}
    assert list(registry.components) == sorted(registry.components)
    assert registry.models["plane"](slope_max=3).build() == Plane(slope_max=3)


def test_a_registry_without_a_group_takes_no_third_parties(monkeypatch):
    offering(monkeypatch, Plane)
    closed = replace(CLOSED)
    assert "sinusoid" in closed.components
    assert "plane" not in closed.components


class Abstract(TaskFamily):
    name = "abstract"
    title = "Abstract"


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        (
            type("Clash", (Plane,), {"name": "sinusoid"}),
            "its task family is called 'sinusoid', a name that is taken",
        ),
        (
            type("Odd", (Plane,), {"name": "a plane"}),
            "its task family is called 'a plane'; allowed: lower-case letters, digits",
        ),
        (type("Nameless", (Plane,), {"name": None}), "its task family is called None"),
        (type("Untitled", (Plane,), {"title": 3}), "class Untitled has no title"),
        (Abstract, "class Abstract does not define input_range, noise, "),
        (GradientDescent, "it is class GradientDescent; 'metalab.tasks' takes a class"),
        (
            Plane(),
            "it is an object of class Plane; 'metalab.tasks' takes a class that ",
        ),
        (None, "it is an object of class NoneType"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(monkeypatch, component, reason):
    registry = offering(monkeypatch, component, Plane)
    assert set(registry.components) == {*TASK_FAMILIES.components, "plane"}
    assert registry.components["sinusoid"] is Sinusoid
    (problem,) = registry.problems
    assert problem.startswith(
        f"entry point 'x' of a package in 'metalab.tasks' is left out: {reason}"
    )


def test_two_components_of_our_own_with_one_name_are_a_defect(monkeypatch):
    clash = type("Clash", (Sinusoid,), {"__module__": "metalab.tasks.wave"})
    monkeypatch.setattr("metalab.tasks.wave.Clash", clash, raising=False)
    registry = replace(CLOSED)
    with pytest.raises(
        ValueError, match="two components are called 'sinusoid' as task"
    ):
        _ = registry.components


def test_the_default_of_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match="outer optimizer is 'lion'; allowed: adam, none, sgd"
    ):
        OUTER_OPTIMIZERS.default("lion")


def test_slots_are_where_the_components_stand():
    assert set(SLOTS) == {
        *("tasks.family", "model", "loss", "query_loss", "meta", "inner"),
        *("hypergradient", "outer.optimizer"),
    }


def test_what_a_component_must_declare_and_have_is_named(monkeypatch):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Bare(InnerLoop):
        name: ClassVar[str] = "bare"
        title: ClassVar[str] = "Bare"
        run = pullback = pushforward = first_order_pullback = None

    registry = replace(INNER_LOOPS, entry_point_group="metalab.tasks")
    offering(monkeypatch, Bare)
    (told,) = replace(registry).problems
    assert told.endswith("class Bare has no option num_inner_steps")

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Silent(MetaParameterisation):
        name: ClassVar[str] = "silent"
        title: ClassVar[str] = "Silent"
        ways = start = start_pullback = None

    offering(monkeypatch, Silent)
    registry = replace(META_PARAMETERISATIONS, entry_point_group="metalab.tasks")
    (told,) = registry.problems
    assert told.endswith("class Silent does not declare shapes_inner_loss, regularised")
