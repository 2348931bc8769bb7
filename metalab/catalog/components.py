"""From a component's own options to a validated configuration model.

A component is a frozen dataclass in one file (see `core.spec`). Here it becomes a pydantic
model with a `kind`, so TOML, form, command line and sweep axes share one definition.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from metalab.core.spec import OptionSpec, option_default, option_spec

_NUMBERS = re.compile(r" *[0-9]{1,18}( *, *[0-9]{1,18})* *,? *", re.ASCII)
"""Whole numbers with commas between."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Marks a field of a configuration model with its `OptionSpec`, and enforces it.

    Used as `Annotated[int, Setting(OptionSpec(...))]`.
    """

    spec: OptionSpec

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the spec after pydantic's own type check."""
        before = self._as_list if get_origin(source) is tuple else self._as_number
        typed = core_schema.no_info_before_validator_function(before, handler(source))
        return core_schema.no_info_after_validator_function(self._checked, typed)

    def _no_truth_value(self, value: Any) -> Any:
        # pydantic would read true as the number 1; no setting is a truth value.
        entries = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(entry, bool) for entry in entries):
            raise ValueError(f"is {value!r}; allowed: {self.spec.allowed()}")
        return value

    def _as_number(self, value: Any) -> Any:
        """Take the word for 0, such as "off", as the form shows it."""
        if isinstance(value, str) and self.spec.means_zero(value):
            value = 0
        return self._no_truth_value(value)

    def _as_list(self, value: Any) -> Any:
        """Take "40, 40" and 40 for lists: so are they written on the command line."""
        if isinstance(value, str) and _NUMBERS.fullmatch(value):
            value = [int(entry) for entry in value.strip(" ,").split(",")]
        elif isinstance(value, int) and not isinstance(value, bool):
            value = [value]
        return self._no_truth_value(value)

    def _checked(self, value: Any) -> Any:
        self.spec.check(value)
        return value


def setting(**entries: Any) -> Setting:
    """Return the mark of a field of a configuration model that is no component's option.

    Args:
        **entries: The attributes of `OptionSpec`.
    """
    return Setting(OptionSpec(**entries))


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ComponentConfig(Section):
    """The settings of one component. Subclasses are made by `component_model`.

    Attributes:
        kind: The component's name in its registry.
    """

    component: ClassVar[type[Any]]
    kind: str

    def options(self) -> dict[str, Any]:
        """Return the component's options, without `kind`."""
        return {name: value for name, value in self if name != "kind"}

    def build(self, **bound: Any) -> Any:
        """Return the component.

        Args:
            **bound: Arguments that come from other parts of the experiment, such as the
                input dimension of a network.
        """
        return type(self).component(**self.options(), **bound)

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, content: Any) -> Any:
        """Let the component fill in what follows from what a person wrote."""
        complete = getattr(cls.component, "completed", None)
        if complete is None or not isinstance(content, Mapping):
            return content
        return complete(content)

    @model_validator(mode="after")
    def _component_accepts(self) -> "ComponentConfig":
        """Let the component refuse combinations of its own options."""
        if all(_is_known(entry) for entry in fields(self.component)):
            self.build()
        return self


def _is_known(entry: Field[Any]) -> bool:
    """Return whether a field is an option, or has a value where nothing is bound."""
    return option_spec(entry) is not None or entry.default is not MISSING


def component_model(component: type[Any]) -> type[ComponentConfig]:
    """Return the configuration model of a component class.

    Args:
        component: A frozen dataclass with `name`; each field with an `OptionSpec`
            becomes a setting, a field without one is bound at `build`.
    """
    hints = get_type_hints(component)
    definitions: dict[str, Any] = {
        "kind": (Literal[component.name], component.name),
    }
    for entry in fields(component):
        spec = option_spec(entry)
        if spec is not None:
            annotation = Annotated[hints[entry.name], Setting(spec)]
            definitions[entry.name] = (annotation, option_default(entry))
    model = create_model(
        f"{component.__name__}Config",
        __base__=ComponentConfig,
        __doc__=component.__doc__,
        **definitions,
    )
    model.component = component
    return model


def option_specs(model: type[BaseModel]) -> Mapping[str, OptionSpec]:
    """Return the spec of each field of a configuration model that carries one."""
    return {
        name: mark.spec
        for name, info in model.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, Setting)
    }
