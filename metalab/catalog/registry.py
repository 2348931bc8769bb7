"""Discovery: every concrete component in a package, and those of third parties.

A component is found by being there: one file in the package, one entry point in the
group, or one class of a plug-in file. Names are unique in a registry: a clash of our own is an error at start-up, one of
a third party is left out and told (`catalog.plugins`).
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, ClassVar, Union, get_origin

from pydantic import Field

from metalab.catalog.components import ComponentConfig, component_model
from metalab.catalog.plugin_files import PluginFile
from metalab.catalog.plugins import (
    UnfitError,
    check_name,
    described,
    load_plugins,
    take_from_files,
)
from metalab.core.spec import option_spec


def iter_modules(package: str) -> Iterator[ModuleType]:
    """Yield the package's direct modules, or the module itself if it is no package."""
    root = import_module(package)
    if not hasattr(root, "__path__"):
        yield root
        return
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda i: i.name):
        yield import_module(f"{package}.{info.name}")


def _undeclared(component: type[Any], base: type[Any]) -> Iterator[str]:
    """Yield what a base class declares without a value, and the component lacks."""
    for owner in base.__mro__:
        for name, annotation in inspect.get_annotations(owner).items():
            of_class = ClassVar in (annotation, get_origin(annotation))
            if of_class and not hasattr(component, name):
                yield name


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
        entry_point_group: Where other packages register theirs.
        adopts: Whether a class of another kind can be made a component.
        adopted: Makes it one; raises a ValueError that says why it cannot.
        needed: Options that every component has, since the experiment asks for them.
        besides: Further components, which need not inherit `base`.
    """

    slot: str
    base: type[Any]
    package: str
    label: str
    help: str
    synonyms: tuple[str, ...] = ()
    entry_point_group: str = ""
    adopts: Callable[[type[Any]], bool] | None = None
    adopted: Callable[[type[Any]], type[Any]] | None = None
    needed: tuple[str, ...] = ()
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

    @property
    def files(self) -> Mapping[str, PluginFile]:
        """Plug-in files that components come from, by the components' names."""
        return self._found[2]

    @cached_property
    def _found(
        self,
    ) -> tuple[Mapping[str, type[Any]], tuple[str, ...], Mapping[str, PluginFile]]:
        found: dict[str, type[Any]] = {}
        for component in self._own():
            other = found.setdefault(component.name, component)
            if other is not component:
                raise ValueError(
                    f"two components are called {component.name!r} as {self.slot}: "
                    f"{other.__module__} and {component.__module__}"
                )

        def take(value: Any) -> Any:
            component = self._taken(value)
            self._check(component, found)
            found[component.name] = component
            return component

        problems = load_plugins(self.entry_point_group, take).problems
        own = take_from_files(self.wants, take)
        files = {component.name: file for component, file in own.values}
        return dict(sorted(found.items())), (*problems, *own.problems), files

    def wants(self, value: Any) -> bool:
        """Return whether a value of a plug-in file is meant for this registry."""
        if not isinstance(value, type) or inspect.isabstract(value):
            return False
        return issubclass(value, self.base) or self._adopts(value)

    def _adopts(self, value: type[Any]) -> bool:
        return self.adopts is not None and self.adopts(value)

    def _taken(self, value: Any) -> Any:
        """Return a component as it is, or what is made of a class of another kind.

        Raises:
            UnfitError: Nothing can be made of it.
        """
        if self.adopted is None or not isinstance(value, type):
            return value
        if issubclass(value, self.base) or not self._adopts(value):
            return value
        try:
            return self.adopted(value)
        except ValueError as error:
            raise UnfitError(str(error)) from error

    def _own(self) -> Iterator[type[Any]]:
        yield from self.besides
        for module in iter_modules(self.package):
            for _, value in inspect.getmembers(module, inspect.isclass):
                own = value.__module__ == module.__name__
                concrete = issubclass(value, self.base) and not inspect.isabstract(
                    value
                )
                # A private class is a part of a component.
                if own and concrete and not value.__name__.startswith("_"):
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
        missing = ", ".join(_undeclared(value, self.base))
        if missing:
            raise UnfitError(f"{described(value)} does not declare {missing}")
        options = {entry.name for entry in fields(value) if option_spec(entry)}
        missing = ", ".join(name for name in self.needed if name not in options)
        if missing:
            raise UnfitError(f"{described(value)} has no option {missing}")
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
