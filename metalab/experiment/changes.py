"""Settings in which two experiments differ.

One list is behind the name of an experiment, the marks in the form, and the tables that
compare two: so they never tell different numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from metalab.catalog.slots import SLOTS
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import FieldInfo, fields_of

_TITLES = {"outer": "Outer loop"}
"""Groups whose title is neither their name nor the label of their choice."""

_MOST_TOLD = 4
"""Differences that a phrase tells one by one."""


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


def setting_text(info: FieldInfo, value: Any) -> str:
    """Return a value of a setting for people: as `value_text`, or its word for 0."""
    return info.spec.word_for(value) or value_text(value)


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


def unit_of(info: FieldInfo) -> str:
    """Return the unit of a setting; "" where it has none."""
    return "" if info.spec.unit == "1" else info.spec.unit


def is_default(info: FieldInfo, defaults: Mapping[str, Any]) -> bool:
    """Return whether a setting has its default value.

    Args:
        info: The setting.
        defaults: Default value by path, of the same components.
    """
    return info.path in defaults and info.value == defaults[info.path]


def defaults_of(config: ExperimentConfig) -> Mapping[str, Any]:
    """Return the default of every setting that an experiment has, by path.

    The kinds of components are compared with those of a plain experiment.
    """
    kinds = {info.path: info.value for info in fields_of(config)}
    options = {info.path: info.value for info in default_layout(kinds)}
    plain = {info.path: info.value for info in fields_of(ExperimentConfig())}
    chosen = {path: plain[path] for path in options if path.endswith(".kind")}
    return {**options, **chosen}


def group_title(group: str, infos: Iterable[FieldInfo]) -> str:
    """Return what a group of settings is called, as in the form.

    Args:
        group: First word of their paths.
        infos: Some settings, those of the group among them.
    """
    kind = next((info for info in infos if info.path == f"{group}.kind"), None)
    if kind is not None:
        return kind.spec.label
    return _TITLES.get(group, group.capitalize())


def difference_note(config: ExperimentConfig, other: ExperimentConfig) -> str:
    """Return in one phrase what another experiment does otherwise; "" for nothing.

    Names and diagnostics do not count, the first settings are told with both values.
    """
    found = [
        change
        for change in all_differences(other, config)
        if change.ours is not None and change.info.group != "diagnostics"
    ]
    if not found:
        return ""
    told = [
        f"{c.info.spec.label} {setting_text(c.info, c.ours)}"
        + ("" if c.theirs is None else f" (not {setting_text(c.info, c.theirs)})")
        for c in found[:_MOST_TOLD]
    ]
    rest = len(found) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """A setting in which two experiments differ, in words.

    Attributes:
        title: Of its group.
        label: Its name in the form.
        key: Its dotted path.
        ours: Its value in the first experiment.
        theirs: Its value in the second.
        unit: "" where it has none.
    """

    title: str
    label: str
    key: str
    ours: str
    theirs: str
    unit: str


def difference_rows(
    config: ExperimentConfig, other: ExperimentConfig
) -> list[DifferenceRow]:
    """Return the settings in which two experiments differ, in the order of the form."""
    infos = [*fields_of(config), *fields_of(other)]
    return [
        DifferenceRow(
            title=group_title(change.info.group, infos),
            label=change.info.spec.label,
            key=change.info.path,
            ours=setting_text(change.info, change.ours),
            theirs=setting_text(change.info, change.theirs),
            unit=unit_of(change.info),
        )
        for change in all_differences(config, other)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A setting in which not all of some experiments agree, in words.

    Attributes:
        title: Of its group.
        label: Its name in the form.
        key: Its dotted path.
        values: Its value in each experiment; an en dash where it has no such setting.
        unit: "" where it has none.
    """

    title: str
    label: str
    key: str
    values: tuple[str, ...]
    unit: str


_SEED = "run.seed"


def differing_settings(configs: Sequence[ExperimentConfig]) -> list[SettingRow]:
    """Return the settings that some experiments do not share, in the order of the form.

    Seeds are left out: replicates differ in nothing else.
    """
    merged = list(fields_of(configs[0]))
    known = {info.path for info in merged}
    for config in configs[1:]:
        for info in fields_of(config):
            if info.path not in known:
                merged.insert(_place(info, merged), info)
                known.add(info.path)
    values = [{info.path: info for info in fields_of(config)} for config in configs]
    rows: list[SettingRow] = []
    for info in merged:
        own = [of[info.path].value if info.path in of else None for of in values]
        if info.path != _SEED and any(value != own[0] for value in own):
            rows.append(
                SettingRow(
                    title=group_title(info.group, merged),
                    label=info.spec.label,
                    key=info.path,
                    values=tuple(setting_text(info, value) for value in own),
                    unit=unit_of(info),
                )
            )
    return rows
