"""Order and groups of the runs of a library. Imports no torch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from metalab.core.errors import UserError
from metalab.runs.library.entry import STATES, Plain, RunEntry

SortValue = tuple[int, float | str]

_LAST: SortValue = (2, "")
"""Of what is not known: behind everything else, in either direction."""


def _value(value: Plain) -> SortValue:
    """Return the key that sorts a value: numbers before texts, nothing last."""
    if isinstance(value, int | float):
        return _LAST if math.isnan(value) else (0, float(value))
    return _LAST if value is None else (1, value.casefold())


_KEYS: Mapping[str, Callable[[RunEntry], SortValue]] = {
    "name": lambda e: _value(e.name),
    "state": lambda e: (0, float(STATES.index(e.state))),
    "method": lambda e: _value(e.method or None),
    "preset": lambda e: _value(e.preset or None),
    "seed": lambda e: _value(e.seed),
    "step": lambda e: _value(e.step),
    "best": lambda e: _value(None if e.best is None else e.best.loss),
    "loss": lambda e: _value(None if e.last is None else e.last.loss),
    "speed": lambda e: _value(e.steps_per_second),
    "duration": lambda e: _value(e.seconds),
    "created": lambda e: _value(e.created or None),
    "written": lambda e: _value(e.written),
    "size": lambda e: _value(e.size),
    "tags": lambda e: _value(" ".join(e.labels.tags) or None),
    "note": lambda e: _value(e.labels.note or None),
    "colour": lambda e: _value(e.labels.colour or None),
}

SORT_FIELDS = tuple(_KEYS)
"""What runs are sorted by, beside the dotted paths of settings."""


def sorted_entries(
    entries: Sequence[RunEntry], field: str, *, descending: bool = False
) -> list[RunEntry]:
    """Return runs in the order of a field; what is not known is last either way.

    Args:
        entries: The runs; equal ones stay in their order.
        field: One of `SORT_FIELDS`, or the dotted path of a setting.
        descending: Whether the largest is first.

    Raises:
        UserError: There is no such field.
    """
    read = _KEYS.get(field)
    if read is None:
        if "." not in field:
            allowed = ", ".join(SORT_FIELDS)
            raise UserError(
                f"sort is {field!r}; allowed: {allowed}, or a setting such as "
                "inner.inner_lr"
            )

        def of_setting(entry: RunEntry) -> SortValue:
            return _value(entry.config.get(field))

        read = of_setting
    keyed = [(read(entry), entry) for entry in entries]
    known = [pair for pair in keyed if pair[0] != _LAST]
    rest = [entry for key, entry in keyed if key == _LAST]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [entry for _, entry in known] + rest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGroup:
    """Replicates: runs that differ by nothing but their seeds.

    Attributes:
        key: What tells the group from others.
        entries: Its runs, in the order of their seeds.
        best: Mean of the lowest evaluations; None where no run has one.
        last: Mean of the newest evaluations.
        deviation: Standard deviation of the latter over the runs; None for one alone.
    """

    key: str
    entries: tuple[RunEntry, ...]
    best: float | None
    last: float | None
    deviation: float | None


def grouped(entries: Sequence[RunEntry]) -> list[RunGroup]:
    """Return replicates together, groups in the order of their first runs.

    A file that cannot be read is a group by itself.
    """
    found: dict[str, list[RunEntry]] = {}
    for entry in entries:
        found.setdefault(entry.group or str(entry.path), []).append(entry)
    return [_group(key, members) for key, members in found.items()]


def _group(key: str, members: list[RunEntry]) -> RunGroup:
    ordered = sorted(members, key=lambda e: (e.seed is None, e.seed or 0))
    last = [e.last.loss for e in members if e.last is not None]
    last = [loss for loss in last if not math.isnan(loss)]
    best = [e.best.loss for e in members if e.best is not None]
    mean = sum(last) / len(last) if last else None
    deviation = None
    if mean is not None and len(last) > 1:
        deviation = math.sqrt(sum((x - mean) ** 2 for x in last) / (len(last) - 1))
    return RunGroup(
        key=key,
        entries=tuple(ordered),
        best=sum(best) / len(best) if best else None,
        last=mean,
        deviation=deviation,
    )
