"""Content of the form: an experiment that need not be valid yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from metalab.catalog.recipes import merge
from metalab.catalog.slots import SLOTS
from metalab.experiment import changes
from metalab.experiment.changes import default_layout
from metalab.experiment.fields import (
    ConfigError,
    fields_of,
    readings_of,
    typed_problems,
    validated,
)
from metalab.experiment.naming import has_own_name
from metalab.ui.forms.reading import Unread, unread_message

if TYPE_CHECKING:
    from metalab.catalog.registry import Registry
    from metalab.experiment.changes import Baseline
    from metalab.experiment.config import ExperimentConfig
    from metalab.experiment.fields import FieldInfo, FieldProblem

# The engine imports torch, which must not delay the window: it is imported in functions.


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Every field of the form.

    Attributes:
        origin: The experiment the form was given; has what no field shows, such as the
            name.
        values: By path: a value, in bounds or not, or `Unread` text.
    """

    origin: "ExperimentConfig"
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a draft is an experiment.

    Attributes:
        config: The experiment; None while anything is wrong.
        problems: What is wrong.
        readings: How texts that mean numbers are understood, by path.
    """

    config: "ExperimentConfig | None"
    problems: tuple["FieldProblem", ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict[str, str])


def draft_of(config: "ExperimentConfig") -> Draft:
    """Return the draft that shows an experiment."""
    return Draft(origin=config, values=_values_of(config))


def _fields_of(config: "ExperimentConfig") -> tuple["FieldInfo", ...]:
    return fields_of(config)


def _slots() -> Mapping[str, "Registry"]:
    return SLOTS


def _values_of(config: "ExperimentConfig") -> dict[str, Any]:
    return {info.path: info.value for info in _fields_of(config)}


def layout_of(draft: Draft) -> tuple["FieldInfo", ...]:
    """Return the draft's fields in the order of the form, with their default values.

    Which fields there are depends on the chosen components alone, so this works for a
    draft that is not valid.
    """
    return default_layout(draft.values)


def with_value(
    draft: Draft, path: str, value: Any, *, reference: "ExperimentConfig"
) -> Draft:
    """Return the draft with one field changed.

    Choosing another component replaces its options: by the reference's where it uses the
    same component, else by the defaults.
    """
    slot = path.removesuffix(".kind")
    if slot == path or slot not in _slots():
        return replace(draft, values={**draft.values, path: value})
    if value == draft.values[path]:
        return draft
    kept = {
        other: old
        for other, old in draft.values.items()
        if not other.startswith(f"{slot}.")
    }
    chosen = Draft(origin=draft.origin, values={**kept, path: value})
    fresh = {
        other: base.value
        for other, base in baselines(chosen, reference=reference).items()
        if other.startswith(f"{slot}.") and other != path
    }
    return replace(chosen, values={**chosen.values, **fresh})


def baselines(
    draft: Draft, *, reference: "ExperimentConfig"
) -> "Mapping[str, Baseline]":
    """Return what each field of the draft is compared with."""
    return changes.baselines(draft.values, reference=reference)


def own_name(draft: Draft) -> str:
    """Return the name that a person has given the experiment; "" if it is derived."""
    return draft.origin.name if has_own_name(draft.origin) else ""


def renamed(draft: Draft, name: str, *, reference: "ExperimentConfig") -> Draft:
    """Return the draft with a name of a person's own, allowed or not; "" derives it."""
    words = {"name": name or reference.name, "preset": reference.name}
    return replace(draft, origin=draft.origin.model_copy(update=words))


def check(draft: Draft) -> Verdict:
    """Return the experiment that a draft describes, or all that is wrong with it."""
    # No setting admits None: the engine refuses it, and does not go on to compare the
    # field with others.
    readable = {
        path: None if isinstance(value, Unread) else value
        for path, value in draft.values.items()
    }
    try:
        config = validated(merge(draft.origin.to_mapping(), _nested(readable)))
    except ConfigError as error:
        return Verdict(config=None, problems=_explained(draft, error.problems))
    doubts = typed_problems(config, draft.origin)
    if doubts:
        return Verdict(config=None, problems=doubts)
    return Verdict(config=config, readings=readings_of(config))


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for path, value in values.items():
        *parents, name = path.split(".")
        section = content
        for parent in parents:
            section = section.setdefault(parent, {})
        section[name] = value
    return content


def _explained(
    draft: Draft, problems: Sequence["FieldProblem"]
) -> tuple["FieldProblem", ...]:
    """Return the problems, those of unreadable text with the text."""
    infos = {info.path: info for info in layout_of(draft)}
    messages = {
        path: unread_message(value, infos[path].value_type, infos[path].spec)
        for path, value in draft.values.items()
        if isinstance(value, Unread)
    }
    return tuple(
        replace(problem, message=messages.get(problem.path, problem.message))
        for problem in problems
    )
