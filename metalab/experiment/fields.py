"""Changing an experiment by dotted paths, and saying what is wrong with it."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from metalab.catalog.components import ComponentConfig, option_specs
from metalab.catalog.recipes import merge
from metalab.catalog.registry import Registry
from metalab.catalog.slots import SLOTS
from metalab.core.errors import UserError
from metalab.core.spec import OptionSpec
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.plain_data import PlainDataError, checked, shortened

_MAX_SHOWN = 60
"""Characters of a refused value that a message repeats."""


_LARGEST_SHOWN = 10**1000
"""A larger whole number is refused without its field: Python cannot write it."""

_MOST_LINES, _MOST_LETTERS = 8, 1200
"""Lines and letters of a message: all may be wrong, and a value or a key be long."""


class ConfigError(UserError):
    """A configuration that cannot be run.

    Attributes:
        problems: What is wrong, one entry a field.
    """

    def __init__(self, problems: Sequence["FieldProblem"]) -> None:
        most = _MOST_LETTERS // max(1, min(len(problems), _MOST_LINES))
        lines = [shortened(str(problem), most) for problem in problems]
        more = len(lines) - _MOST_LINES
        if more > 0:
            lines[_MOST_LINES:] = [f"and {more:,} more"]
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong.

    Attributes:
        path: Dotted path of the field; "" for the whole experiment.
        message: The value and what is allowed.
    """

    path: str
    message: str

    def __str__(self) -> str:
        """Return path and message in one line."""
        return f"{self.path} {self.message}" if self.path else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInfo:
    """One field of an experiment, as a form shows it.

    Attributes:
        path: Dotted path, for example "inner.inner_lr".
        group: First word of the path: the form's group.
        value: Its current value, as plain data.
        value_type: int, float, str or tuple (of int).
        spec: Label, bounds, help.
        choices: For a `kind` field, component names and titles; else empty.
    """

    path: str
    group: str
    value: Any
    value_type: type
    spec: OptionSpec
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is called: label, path, choices and their titles, synonyms."""
        titles = (word for choice in self.choices for word in choice)
        words = (self.spec.label, self.path, *titles, *self.spec.synonyms)
        return tuple(dict.fromkeys(words))


def fields_of(config: ExperimentConfig) -> tuple[FieldInfo, ...]:
    """Return every field of the experiment, in the order of the form."""
    return tuple(_walk(config, ""))


def _walk(section: BaseModel, prefix: str) -> Iterator[FieldInfo]:
    specs = option_specs(type(section))
    if isinstance(section, ComponentConfig):
        yield _kind_field(prefix, section, SLOTS[prefix])
    for name, value in section:
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, BaseModel):
            yield from _walk(value, path)
        elif name in specs:
            yield FieldInfo(
                path=path,
                group=path.split(".")[0],
                value=value,
                value_type=type(value),
                spec=specs[name],
                choices=tuple((choice, choice) for choice in specs[name].choices),
            )


def _kind_field(prefix: str, section: ComponentConfig, registry: Registry) -> FieldInfo:
    components = registry.components
    choices = tuple((name, c.title) for name, c in components.items())
    of_choices = (word for c in components.values() for word in c.synonyms)
    return FieldInfo(
        path=f"{prefix}.kind",
        group=prefix.split(".", maxsplit=1)[0],
        value=section.kind,
        value_type=str,
        spec=OptionSpec(
            label=registry.label,
            help=registry.help,
            choices=tuple(name for name, _ in choices),
            synonyms=tuple(dict.fromkeys([*registry.synonyms, *of_choices])),
        ),
        choices=choices,
    )


def validated(content: Mapping[str, Any]) -> ExperimentConfig:
    """Return the experiment described by nested plain values.

    Raises:
        ConfigError: A value, key or combination that is not allowed; names the field,
            the value, and what is allowed.
    """
    try:
        plain = checked(content, largest=_LARGEST_SHOWN)
        return ExperimentConfig.model_validate(plain)
    except PlainDataError as error:
        raise ConfigError([FieldProblem("", f"the experiment {error}")]) from error
    except ValidationError as error:
        raise ConfigError([_problem(entry) for entry in error.errors()]) from error


_ALLOWED_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_pattern_mismatch": "text without slashes and control characters",
    "string_too_short": "text of at least one character",
    "string_too_long": "text of at most {max_length} characters",
    "tuple": "whole numbers with commas between, such as 40, 40",
    "model": "a table of settings",
    "dict": "a table of settings",
    "literal_error": "{expected}",
    "missing": "a value",
}
"""What people call pydantic's types, by the beginning of its error's name."""


def _problem(entry: Any) -> FieldProblem:
    path = _written_path(entry["loc"])
    value = entry["input"]
    if entry["type"] == "value_error":
        return FieldProblem(path, str(entry["ctx"]["error"]))
    if entry["type"] == "extra_forbidden":
        return FieldProblem(path, _unknown_key(path))
    if entry["type"] == "union_tag_invalid":
        allowed = ", ".join(SLOTS[path].components)
        tag = _shortened(entry["ctx"]["tag"])
        return FieldProblem(
            f"{path}.kind", f"is {tag}; allowed: {allowed}{_HOW_TO_ADD}"
        )
    if entry["type"] == "union_tag_not_found":
        allowed = ", ".join(SLOTS[path].components)
        return FieldProblem(f"{path}.kind", f"is missing; allowed: {allowed}")
    allowed = str(entry["msg"]).removeprefix("Input should be ")
    for beginning, words in _ALLOWED_TYPES.items():
        if entry["type"].startswith(beginning):
            allowed = words.format_map(entry.get("ctx", {}))
    return FieldProblem(path, f"is {_shortened(value)}; allowed: {allowed}")


_HOW_TO_ADD = " (a plug-in that has another is added by --plugin FILE)"


def _shortened(value: object) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value:,}" if whole else repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _written_path(location: Sequence[str | int]) -> str:
    """Return the dotted path as people write it.

    pydantic puts the chosen member of a union into the path; people do not write it.
    """
    path = ""
    for part in map(str, location):
        if path not in SLOTS or part not in SLOTS[path].components:
            path = f"{path}.{part}" if path else part
    return path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}..."


def _unknown_key(path: str) -> str:
    owners: dict[str, list[str]] = {}
    for slot, registry in SLOTS.items():
        for kind, model in registry.models.items():
            for option in model.model_fields:
                owners.setdefault(f"{slot}.{option}", []).append(repr(kind))
    if path in owners:
        kinds = " or ".join(owners[path])
        slot = path.rpartition(".")[0]
        return (
            f"is a setting of kind {kinds}, not of the chosen one; {slot}.kind chooses"
        )
    known = [info.path for info in fields_of(ExperimentConfig())]
    known += [*owners, *SLOTS, *ExperimentConfig.model_fields]
    near = difflib.get_close_matches(path, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"is not a known setting{hint}"


def parse_assignment(text: str) -> tuple[str, Any]:
    """Return path and value of "path=value"; the value in TOML, or a bare word.

    Raises:
        ConfigError: The text has no "=" or no path.
    """
    path, sign, raw = text.partition("=")
    path = path.strip()
    if not sign or not path:
        raise ConfigError(
            [
                FieldProblem(
                    "--set", f"is {_shortened(text)}; allowed: SECTION.FIELD=VALUE"
                )
            ]
        )
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):
        # No TOML; or a number or nesting beyond what Python's parser takes.
        parsed = {}
    return path, parsed["value"] if list(parsed) == ["value"] else raw.strip()


def with_overrides(
    config: ExperimentConfig, overrides: Sequence[tuple[str, Any]]
) -> ExperimentConfig:
    """Return the experiment with some fields changed.

    Args:
        config: Where to start.
        overrides: Dotted paths and plain values, applied in order. Setting a component's
            `kind` resets its other options to their defaults.

    Raises:
        ConfigError: A path or value that is not allowed.
    """
    content = config.to_mapping()
    for path, value in overrides:
        parts = path.split(".")
        if path in SLOTS and isinstance(value, str):
            parts.append("kind")
        nested: Any = value
        for part in reversed(parts):
            nested = {part: nested}
        content = merge(content, nested)
    return validated(content)


def readings_of(config: ExperimentConfig) -> Mapping[str, str]:
    """Return how each text that means numbers is understood, by path.

    One that can be read in two ways, which only run files of old hold, is left out.
    """
    found: dict[str, str] = {}
    for info in fields_of(config):
        if info.spec.reading is not None:
            with suppress(ValueError):
                found[info.path] = info.spec.reading(info.value)
    return found


def typed_problems(
    config: ExperimentConfig, known: ExperimentConfig
) -> tuple[FieldProblem, ...]:
    """Return what is wrong with texts that a person has typed, though they are valid.

    Args:
        config: The experiment with them.
        known: The one they were typed into: what stands there already was understood in
            its time.
    """
    before = {info.path: info.value for info in fields_of(known)}
    problems: list[FieldProblem] = []
    for info in fields_of(config):
        if info.spec.reading is not None and info.value != before.get(info.path):
            try:
                info.spec.reading(info.value)
            except ValueError as error:
                shown = _shortened(info.value)
                problems.append(FieldProblem(info.path, f"is {shown}: it {error}"))
    return tuple(problems)


def differences(
    config: ExperimentConfig, other: ExperimentConfig
) -> Mapping[str, tuple[Any, Any]]:
    """Return the fields in which two experiments differ: path -> (ours, theirs).

    A field that only one of them has stands against None.
    """
    ours = {info.path: info.value for info in fields_of(config)}
    theirs = {info.path: info.value for info in fields_of(other)}
    return {
        path: (ours.get(path), theirs.get(path))
        for path in [*ours, *(path for path in theirs if path not in ours)]
        if ours.get(path) != theirs.get(path)
    }
