"""From a component's options to its configuration model."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from pydantic import ValidationError

from metalab.catalog.components import component_model, option_specs
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of something."""

    name: ClassVar[str] = "part"
    title: ClassVar[str] = "Part"

    low: int = option(1, label="Low", help="The low end.", low=0, high=9)
    high: int = option(2, label="High", help="The high end.", low=0, high=9)
    word: str = option("a", label="Word", help="A word.", choices=("a", "b"))
    sizes: tuple[int, ...] = option((1,), label="Sizes", help="Sizes.", low=1)

    def __post_init__(self):
        if self.high < self.low:
            raise ValueError(f"high is {self.high}; it must be at least {self.low}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundPart:
    """A part that is told something by the rest."""

    name: ClassVar[str] = "bound"
    title: ClassVar[str] = "Bound"

    told: int
    size: int = option(3, label="Size", help="How big.", low=1)


MODEL = component_model(Part)


def refused(**options):
    with pytest.raises(ValidationError) as caught:
        MODEL(**options)
    return [error["msg"] for error in caught.value.errors()]


def test_defaults_make_the_component():
    assert MODEL().build() == Part()
    assert MODEL().kind == "part"
    assert MODEL(low=3, high=4, sizes=[2, 3]).build() == Part(
        low=3, high=4, sizes=(2, 3)
    )


def test_values_are_checked_against_the_spec():
    assert refused(low=-1) == ["Value error, is -1; allowed: 0 to 9"]
    assert refused(word="c") == ["Value error, is 'c'; allowed: a, b"]
    assert refused(sizes=[1, 0]) == ["Value error, is 0; allowed: at least 1"]


@pytest.mark.parametrize("options", [{"low": True}, {"sizes": [True]}, {"sizes": True}])
def test_a_truth_value_is_no_number(options):
    assert "allowed" in refused(**options)[0] or "tuple" in refused(**options)[0]


def test_unknown_options_and_kinds_are_refused():
    assert refused(loww=1) == ["Extra inputs are not permitted"]
    assert refused(kind="other") == ["Input should be 'part'"]


def test_the_component_may_refuse_a_combination():
    assert refused(low=5, high=4) == ["Value error, high is 4; it must be at least 5"]


def test_an_argument_without_a_spec_is_bound_when_built():
    model = component_model(BoundPart)
    assert set(model.model_fields) == {"kind", "size"}
    assert model(size=4).build(told=7) == BoundPart(told=7, size=4)


def test_specs_are_found_by_field():
    assert option_specs(MODEL)["low"].label == "Low"
    assert set(option_specs(MODEL)) == {"low", "high", "word", "sizes"}


def test_a_configuration_is_a_frozen_value():
    with pytest.raises(ValidationError, match="frozen"):
        MODEL().low = 3
    assert MODEL() == MODEL()
