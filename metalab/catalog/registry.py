"""Discovery: every concrete component in a package, and those of third parties.

A component is found by being there: one file in the package, or one entry point in the
group. Names are unique in a registry: a clash of our own is an error at start-up, one of
a third party is left out and told (`catalog.plugins`).
"""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, Union

from pydantic import Field

from metalab.catalog.components import ComponentConfig, component_model
from metalab.catalog.plugins import UnfitError, check_name, described, load_plugins


def iter_modules(package: str) -> Iterator[ModuleType]:
    """Yield the package's direct modules, or the module itself if it is no package."""
    root = import_module(package)
    if not hasattr(root, "__path__"):
        yield root
        return
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda i: i.name):
        yield import_module(f"{package}.{info.name}")


@dataclass(frozen=True)
class Registry:
    """The components that can stand in one place of an experiment.

    Attributes:
        slot: What the components are, in the singular, for messages.
        base: Their abstract base class.
        package: Where the built-in ones live.
        label: Name of the choice in forms.
        help: What is chosen, one plain sentence.
        synonyms: What else people call the choice; a search finds it by these too.
        entry_point_group: Where third parties register theirs; "" if they cannot.
        besides: Further components, which need not inherit `base`.
    """

    slot: str
    base: type[Any]
    package: str
    label: str
    help: str
    synonyms: tuple[str, ...] = ()
    entry_point_group: str = ""
    besides: tuple[type[Any], ...] = ()

    @property
    def components(self) -> Mapping[str, type[Any]]:
        """Component classes by name, in order of their names.

        Raises:
            ValueError: Two components of our own share a name.
        """
        return self._found[0]

    @property
    def problems(self) -> tuple[str, ...]:
        """Registrations of third parties that cannot be used, a sentence each."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Mapping[str, type[Any]], tuple[str, ...]]:
        found: dict[str, type[Any]] = {}
        for component in self._own():
            other = found.setdefault(component.name, component)
            if other is not component:
                raise ValueError(
                    f"two components are called {component.name!r} as {self.slot}: "
                    f"{other.__module__} and {component.__module__}"
                )
        problems: tuple[str, ...] = ()
        if self.entry_point_group:

            def check(value: Any) -> None:
                self._check(value, found)
                found[value.name] = value

            problems = load_plugins(self.entry_point_group, check).problems
        return dict(sorted(found.items())), problems

    def _own(self) -> Iterator[type[Any]]:
        yield from self.besides
        for module in iter_modules(self.package):
            for _, value in inspect.getmembers(module, inspect.isclass):
                own = value.__module__ == module.__name__
                concrete = issubclass(value, self.base) and not inspect.isabstract(
                    value
                )
                if own and concrete:
                    yield value

    def _check(self, value: Any, taken: Mapping[str, type[Any]]) -> None:
        """Refuse what is no component, or cannot be configured.

        Raises:
            UnfitError: Says why.
        """
        kind = f"{self.base.__module__}.{self.base.__name__}"
        if not isinstance(value, type) or not issubclass(value, self.base):
            raise UnfitError(
                f"it is {described(value)}; {self.entry_point_group!r} takes a class "
                f"that inherits {kind}"
            )
        if inspect.isabstract(value):
            missing = ", ".join(sorted(getattr(value, "__abstractmethods__", ())))
            raise UnfitError(f"{described(value)} does not define {missing}")
        if not is_dataclass(value):
            raise UnfitError(f"{described(value)} is no dataclass, as components are")
        name = getattr(value, "name", None)
        check_name(self.slot, name, taken)
        if not isinstance(getattr(value, "title", None), str):
            raise UnfitError(f"{described(value)} has no title")
        component_model(value)(kind=str(name))

    @cached_property
    def models(self) -> Mapping[str, type[ComponentConfig]]:
        """Configuration models by component name."""
        return {name: component_model(c) for name, c in self.components.items()}

    def field_type(self) -> Any:
        """Return the type of a configuration field that holds any of the components."""
        models = tuple(self.models.values())
        if len(models) == 1:
            return models[0]
        return Annotated[Union[models], Field(discriminator="kind")]  # noqa: UP007

    def default(self, kind: str) -> ComponentConfig:
        """Return the default settings of a component.

        Raises:
            ValueError: No component has that name.
        """
        if kind not in self.models:
            known = ", ".join(self.models)
            raise ValueError(f"{self.slot} is {kind!r}; allowed: {known}")
        return self.models[kind](kind=kind)
