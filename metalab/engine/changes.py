"""Which settings of an experiment differ from another's.

One list is behind the name of an experiment, the marks in the form, and the tables that
compare two: so they never tell different numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from metalab.catalog.slots import SLOTS
from metalab.engine.config import ExperimentConfig
from metalab.engine.overrides import FieldInfo, fields_of


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a setting is compared with and reset to.

    Attributes:
        value: The other experiment's value. For an option of a component that it does not
            use, the component's default: one component's options mean nothing to another.
        from_preset: Whether it is the other experiment's.
    """

    value: Any
    from_preset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting in which an experiment differs from another.

    Attributes:
        info: The setting with its value; of the other experiment's where ours has none.
        ours: Its value here; None where the experiment has no such setting.
        theirs: Its value there; None where the other one has no such setting.
    """

    info: FieldInfo
    ours: Any
    theirs: Any


def default_layout(kinds: Mapping[str, Any]) -> tuple[FieldInfo, ...]:
    """Return the settings in the order of the form, with their default values.

    Which settings there are depends on the chosen components alone, so that this works
    for values that make no valid experiment.

    Args:
        kinds: Values by dotted path, the kinds of the components among them.
    """
    shape: BaseModel = ExperimentConfig()
    for path, registry in SLOTS.items():
        component = registry.default(kinds[f"{path}.kind"])
        shape = _with_part(shape, path.split("."), component)
    assert isinstance(shape, ExperimentConfig)
    return fields_of(shape)


def _with_part(section: BaseModel, path: list[str], part: BaseModel) -> BaseModel:
    head, *tail = path
    if tail:
        part = _with_part(getattr(section, head), tail, part)
    # Copying does not validate, which is the point: only the shape is wanted.
    return section.model_copy(update={head: part})


def baselines(
    kinds: Mapping[str, Any], *, reference: ExperimentConfig
) -> Mapping[str, Baseline]:
    """Return what each setting is compared with.

    Args:
        kinds: Values by dotted path, the kinds of the components among them.
        reference: The other experiment.
    """
    theirs = {info.path: info.value for info in fields_of(reference)}
    found: dict[str, Baseline] = {}
    for info in default_layout(kinds):
        kind = kind_path(info.path)
        shared = kind is None or kinds[kind] == theirs[kind]
        value = theirs[info.path] if shared else info.value
        found[info.path] = Baseline(value, shared)
    return found


def kind_path(path: str) -> str | None:
    """Return the path of the choice of component that an option belongs to, if any."""
    kinds = (f"{slot}.kind" for slot in SLOTS if path.startswith(f"{slot}."))
    return next((kind for kind in kinds if kind != path), None)


def changes(
    config: ExperimentConfig, reference: ExperimentConfig
) -> tuple[Change, ...]:
    """Return what an experiment changes of another, in the order of the form.

    Another component counts once; its options count where they are not at its defaults.
    """
    infos = fields_of(config)
    values = {info.path: info.value for info in infos}
    theirs = {info.path: info.value for info in fields_of(reference)}
    bases = baselines(values, reference=reference)
    return tuple(
        Change(info=info, ours=info.value, theirs=theirs.get(info.path))
        for info in infos
        if info.value != bases[info.path].value
    )


def all_differences(
    config: ExperimentConfig, other: ExperimentConfig
) -> tuple[Change, ...]:
    """Return every setting that two experiments do not share, in the order of the form.

    Unlike in `changes`, the options of a component that only one of them uses are all
    there, each where its component is.
    """
    mine, theirs = fields_of(config), fields_of(other)
    ours = {info.path: info.value for info in mine}
    other_values = {info.path: info.value for info in theirs}
    merged = list(mine)
    for info in theirs:
        if info.path not in ours:
            merged.insert(_place(info, merged), info)
    return tuple(
        Change(info=info, ours=ours.get(info.path), theirs=other_values.get(info.path))
        for info in merged
        if ours.get(info.path) != other_values.get(info.path)
    )


def _place(info: FieldInfo, among: list[FieldInfo]) -> int:
    """Return where an option belongs: behind the last one of its component."""
    kind = kind_path(info.path)
    slot = info.group if kind is None else kind.removesuffix(".kind")
    places = [i for i, known in enumerate(among) if known.path.startswith(f"{slot}.")]
    return places[-1] + 1


def value_text(value: Any) -> str:
    """Return a setting's value for people; an en dash where there is none.

    Whole numbers of five digits and more have their thousands set apart.
    """
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, tuple | list):
        return ", ".join(value_text(entry) for entry in value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return str(value)
