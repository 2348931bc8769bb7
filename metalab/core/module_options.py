"""From the signature of a module's `__init__` to a component with options.

`input_dim` and `output_dim` come from the experiment; every other argument is annotated
as int, float, bool, a Literal of texts or tuple[int, ...], has a default and becomes an
option. `Annotated[int, Option(low=1, high=64)]` says more of it.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import make_dataclass, replace
from inspect import Parameter
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from torch import nn

from metalab.core.module_model import NO, YES, ModuleError, ModuleModel
from metalab.core.spec import OptionSpec, option

BOUND = ("input_dim", "output_dim")
_MOST_UNITS = 4096.0
_ALLOWED = "int, float, bool, Literal of texts, tuple[int, ...]"


def is_network(value: type[Any]) -> bool:
    """Return whether a class is a module that is made for a number of in- and outputs."""
    return issubclass(value, nn.Module) and set(BOUND) <= set(_parameters(value))


def component_of(module: type[nn.Module]) -> type[ModuleModel]:
    """Return the component of a class of modules.

    Class attributes `name`, `title`, `synonyms` and `only_input_dim` are those of the
    component; without them the class's own name is used.

    Args:
        module: As `is_network` wants it.

    Raises:
        ModuleError: An argument cannot be an option.
    """
    try:
        hints = get_type_hints(module.__init__, include_extras=True)
    except Exception as error:
        raise ModuleError(f"its annotations cannot be read: {error}") from error
    entries: list[Any] = [(name, int) for name in BOUND]
    flags: set[str] = set()
    for name, parameter in _parameters(module).items():
        if name in BOUND:
            continue
        annotation, default, spec = _option_of(module, parameter, hints)
        if annotation is bool:
            flags.add(name)
            annotation, default = str, YES if default else NO
        _check_default(name, default, spec)
        entries.append((name, annotation, _field(default, spec)))
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", module.__name__)
    title = getattr(module, "title", words[:1].upper() + words[1:])
    component = make_dataclass(
        module.__name__,
        entries,
        bases=(ModuleModel,),
        namespace={
            "__doc__": inspect.getdoc(module) or f"{title}.",
            "module": module,
            "flags": frozenset(flags),
            "name": getattr(module, "name", words.lower().replace(" ", "-")),
            "title": title,
            "synonyms": getattr(module, "synonyms", ()),
            "only_input_dim": getattr(module, "only_input_dim", None),
        },
        frozen=True,
        slots=True,
        kw_only=True,
    )
    component.__module__ = module.__module__
    return component


def _parameters(module: type[Any]) -> dict[str, Parameter]:
    known = inspect.signature(module.__init__).parameters
    return {name: known[name] for name in list(known)[1:]}


def _option_of(
    module: type[nn.Module], parameter: Parameter, hints: dict[str, Any]
) -> tuple[Any, Any, OptionSpec]:
    """Return type, default and spec of an argument.

    Raises:
        ModuleError: It has no default or annotation, or one that no option has.
    """
    name, default = parameter.name, parameter.default
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        raise ModuleError(f"__init__ takes *{name}, of which there can be no option")
    if default is Parameter.empty:
        raise ModuleError(f"argument {name!r} of __init__ has no default")
    if name not in hints:
        raise ModuleError(
            f"argument {name!r} of __init__ has no annotation; allowed: {_ALLOWED}"
        )
    annotation, spec = hints[name], OptionSpec()
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        spec = next((mark for mark in marks if isinstance(mark, OptionSpec)), spec)
    if get_origin(annotation) is Literal:
        spec = replace(spec, choices=tuple(get_args(annotation)))
        annotation = str
    words = name.replace("_", " ")
    spec = replace(
        spec,
        label=spec.label or words[:1].upper() + words[1:],
        help=spec.help or f"The argument {name} of {module.__name__}.",
    )
    return annotation, default, _bounded(name, annotation, default, spec)


def _bounded(name: str, annotation: Any, default: Any, spec: OptionSpec) -> OptionSpec:
    """Return a spec with what an author left open.

    Raises:
        ModuleError: No option has such a type.
    """
    if annotation is bool:
        return replace(spec, choices=(NO, YES))
    if annotation is str:
        words: tuple[object, ...] = spec.choices
        texts = all(type(word) is str for word in words)
        if not (words or spec.max_length) or not texts:
            raise ModuleError(
                f"argument {name!r} of __init__ is a text without choices; allowed: a "
                "Literal of texts"
            )
        return spec
    if annotation not in (int, float, tuple[int, ...]):
        raise ModuleError(
            f"argument {name!r} of __init__ is annotated {annotation}; allowed: {_ALLOWED}"
        )
    lowest, highest = _usual_bounds(annotation, default)
    low = lowest if spec.low is None else spec.low
    high = max(highest, low) if spec.high is None else spec.high
    return replace(spec, low=low, high=high)


def _usual_bounds(annotation: Any, default: Any) -> tuple[float, float]:
    """Return bounds of a number of which nothing is known but its default."""
    numbers = [abs(n) for n in _entries(default)] or [1.0]
    widest = max(10.0 * max(numbers), 1.0 if annotation is float else _MOST_UNITS)
    if min(_entries(default), default=1) < 0:
        return -widest, widest
    return (0.0 if annotation is float or 0 in numbers else 1.0), widest


def _entries(default: Any) -> Iterator[float] | tuple[float, ...]:
    entries = default if isinstance(default, tuple) else (default,)
    return tuple(n for n in entries if isinstance(n, int | float))


def _check_default(name: str, default: Any, spec: OptionSpec) -> None:
    try:
        spec.check(default)
    except ValueError as error:
        raise ModuleError(f"the default of argument {name!r} {error}") from error


def _field(default: Any, spec: OptionSpec) -> Any:
    entries = {key: getattr(spec, key) for key in OptionSpec.__dataclass_fields__}
    return option(default, **entries)
