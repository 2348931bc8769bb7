"""Discovery: every concrete component in a package, and those of third parties.

A component is found by being there: one file in the package, or one entry point in the
group. Names are unique in a registry; a clash is an error at start-up, not a surprise.
"""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Annotated, Any, Union

from pydantic import Field

from metalab.catalog.components import ComponentConfig, component_model
from metalab.core.errors import UserError


def iter_modules(package: str) -> Iterator[ModuleType]:
    """Yield the package's direct modules, or the module itself if it is no package."""
    root = import_module(package)
    if not hasattr(root, "__path__"):
        yield root
        return
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda i: i.name):
        yield import_module(f"{package}.{info.name}")


def loaded_entry(entry: EntryPoint) -> Any:
    """Return what a third party's entry point names.

    Raises:
        UserError: It cannot be loaded; names the package to mend or to remove.
    """
    try:
        return entry.load()
    except Exception as error:
        owner = entry.dist.name if entry.dist is not None else "a package"
        raise UserError(
            f"entry point {entry.name!r} of {owner} in {entry.group!r} cannot be "
            f"loaded ({type(error).__name__}: {error}); update or remove that package"
        ) from error


@dataclass(frozen=True)
class Registry:
    """The components that can stand in one place of an experiment.

    Attributes:
        slot: What the components are, in the singular, for messages.
        base: Their abstract base class.
        package: Where the built-in ones live.
        entry_point_group: Where third parties register theirs; "" if they cannot.
    """

    slot: str
    base: type[Any]
    package: str
    entry_point_group: str = ""

    @cached_property
    def components(self) -> Mapping[str, type[Any]]:
        """Component classes by name, in order of their names.

        Raises:
            ValueError: Two components share a name.
        """
        found: dict[str, type[Any]] = {}
        for component in self._discover():
            other = found.setdefault(component.name, component)
            if other is not component:
                raise ValueError(
                    f"two components are called {component.name!r} as {self.slot}: "
                    f"{other.__module__} and {component.__module__}"
                )
        return dict(sorted(found.items()))

    def _discover(self) -> Iterator[type[Any]]:
        for module in iter_modules(self.package):
            for _, value in inspect.getmembers(module, inspect.isclass):
                own = value.__module__ == module.__name__
                concrete = issubclass(value, self.base) and not inspect.isabstract(
                    value
                )
                if own and concrete:
                    yield value
        if self.entry_point_group:
            for entry in entry_points(group=self.entry_point_group):
                yield loaded_entry(entry)

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
