"""Every option of every component and section explains and guards itself."""

import itertools
from dataclasses import fields, is_dataclass

from pydantic import ValidationError

from metalab.catalog.components import ComponentConfig, Section, option_specs
from metalab.catalog.slots import SLOTS
from metalab.core.spec import option_default, option_spec
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import fields_of
from tests.support.findings import check_each

COMPONENTS = [
    (registry, component)
    for registry in SLOTS.values()
    for component in registry.components.values()
]
MODELS = {
    f"{slot}={name}": model
    for slot, registry in SLOTS.items()
    for name, model in registry.models.items()
} | {
    name: type(section)
    for name, section in ExperimentConfig()
    if isinstance(section, Section) and not isinstance(section, ComponentConfig)
}
OPTIONS = [
    (model, name, spec)
    for model in MODELS.values()
    for name, spec in option_specs(model).items()
]


def test_a_component_is_a_named_frozen_value():
    def check(registry, component):
        assert is_dataclass(component)
        assert component.__dataclass_params__.frozen
        assert component.name == component.name.lower()
        assert component.title
        assert component.__doc__.strip().splitlines()[0].endswith(".")
        assert registry.components[component.name] is component

    check_each(COMPONENTS, check)


def test_every_option_of_a_component_is_a_setting():
    def check(registry, component):
        settings = option_specs(registry.models[component.name])
        declared = {e.name: option_spec(e) for e in fields(component)}
        assert settings == {name: spec for name, spec in declared.items() if spec}
        for entry in fields(component):
            if option_spec(entry):
                option_spec(entry).check(option_default(entry))

    check_each(COMPONENTS, check)


def test_an_option_has_a_label_a_help_a_unit_and_limits():
    def check(_model, _name, spec):
        assert spec.label[0].isalpha()
        assert spec.help[0].isalpha()
        assert spec.help.endswith(".")
        assert spec.unit
        if spec.choices:
            assert len(set(spec.choices)) == len(spec.choices) > 1
            assert (spec.low, spec.high) == (None, None)
        elif spec.max_length:
            assert (spec.low, spec.high) == (None, None)
        else:
            assert spec.low <= spec.high
        if spec.log:
            assert spec.low > 0 or spec.exclusive
        assert spec.allowed() != "any value"

    check_each(OPTIONS, check)


def test_an_option_takes_what_it_allows_and_nothing_beyond():
    check_each(OPTIONS, takes_what_it_allows)


def takes_what_it_allows(model, name, spec):
    sequence = isinstance(model.model_fields[name].default, tuple)

    def refusal(value):
        try:
            model.model_validate({name: [value] if sequence else value})
        except ValidationError as error:
            return [e for e in error.errors() if e["loc"][0:1] == (name,)]
        return []

    if spec.choices:
        assert not any(refusal(choice) for choice in spec.choices)
        assert refusal("no such word")
        return
    if spec.max_length:
        (told,) = refusal("1" * (spec.max_length + 1))
        assert f"at most {spec.max_length:,} characters" in str(told["ctx"]["error"])
        assert refusal(3)
        return
    inside = [spec.high] if spec.exclusive else [spec.low, spec.high]
    outside = [spec.low - 1, spec.high + 1] + [spec.low] * spec.exclusive
    assert not any(refusal(value) for value in inside)
    assert all(refusal(value) for value in [*outside, "word", None, True])


def test_labels_are_unique_where_they_stand_together():
    def check(place):
        labels = [spec.label for spec in option_specs(MODELS[place]).values()]
        assert len(set(labels)) == len(labels)

    check_each(MODELS, check)


def test_settings_survive_being_written_down():
    def check(place):
        model = MODELS[place]
        written = model().model_dump(mode="json", serialize_as_any=True)
        assert model.model_validate(written) == model()

    check_each(MODELS, check)


def test_every_field_of_an_experiment_is_in_the_form_but_name_and_version():
    def leaves(section, prefix=""):
        for name, value in section:
            path = f"{prefix}{name}"
            yield from (
                leaves(value, f"{path}.") if isinstance(value, Section) else [path]
            )

    config = ExperimentConfig()
    shown = [info.path for info in fields_of(config)]
    assert set(leaves(config)) - set(shown) == {"name", "preset", "version"}
    assert len(set(shown)) == len(shown)


def test_labels_of_a_group_in_the_form_are_unique():
    infos = sorted(fields_of(ExperimentConfig()), key=lambda info: info.group)
    for group, members in itertools.groupby(infos, key=lambda info: info.group):
        labels = [info.spec.label for info in members]
        assert len(set(labels)) == len(labels), group
