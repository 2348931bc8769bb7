"""The facts of a run file as typed values, and its arrays with the shapes they must have.

Everything that a reader of a run takes for granted (that a step is a whole number, that a
name fits into a line, that a network's parameters are as many as its settings say) is
looked at here, once.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from metalab.engine.events import METRICS, Array, Diverged
from metalab.engine.shapes import Shapes
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edits import edited
from metalab.experiment.plain_data import PlainDataError, from_json
from metalab.runs.record.bookmarks import (
    LONGEST_NOTE,
    MOST_BOOKMARKS,
    Bookmark,
    Bookmarks,
)
from metalab.runs.record.file_format import RunFileError, unpacked
from metalab.runs.record.file_guard import DamagedError
from metalab.runs.record.history import Origin
from metalab.runs.record.status import RunStatus

MOST_STEPS = 1_000_000_000
"""Outer steps of any run, as `outer.num_steps` allows."""

MOST_FACTS = 64
MOST_FACT_BYTES = 4_000_000
"""Of one fact; thousands of edits take one."""

_MOST_EDITS = 2000
_MOST_INNER_STEPS = 10_000
_SHOWN = 60
_HEADER_BYTES = 100_000
"""Room for what safetensors says of the arrays before them."""

PLAIN_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""Pattern of what a view can show as a text."""

_Step = Annotated[StrictInt, Field(ge=0, le=MOST_STEPS)]
_Word = Annotated[StrictStr, Field(max_length=100, pattern=PLAIN_TEXT)]
_Line = Annotated[StrictStr, Field(max_length=4000, pattern=PLAIN_TEXT)]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="forbid")


class StoredEdit(_Stored):
    """An entry of `facts.edits`; see `experiment.edit.Edit`."""

    step: _Step
    path: _Word
    value: StrictInt | StrictFloat | StrictBool | _Word


class StoredOrigin(_Stored):
    """The fact `origin`; see `history.Origin`."""

    parent: _Word
    step: _Step


class StoredDivergence(_Stored):
    """The fact `diverged`; see `engine.events.Diverged`."""

    # What exploded may be infinite, or no number.
    model_config = ConfigDict(frozen=True, allow_inf_nan=True, extra="forbid")

    step: _Step
    last_good_step: _Step
    quantity: Literal[*(info.name for info in METRICS)]  # type: ignore[valid-type]
    value: float


class StoredBookmark(_Stored):
    """An entry of the fact `bookmarks`; see `runs.record.bookmarks.Bookmark`."""

    step: _Step
    inner_step: Annotated[StrictInt, Field(ge=0, le=_MOST_INNER_STEPS)] = 0
    note: Annotated[StrictStr, Field(max_length=LONGEST_NOTE, pattern=PLAIN_TEXT)] = ""


class StoredFacts(_Stored):
    """What the readers of a run use of the table `facts`.

    Attributes:
        config: The experiment as nested plain values, not yet looked at.
        created: When, ISO 8601, UTC.
        environment: What the run was computed with.
        status: Where the run stood when it was last written.
        device: What "auto" resolved to; "" before the run has started.
        provider: Who computes the outer steps; "" in files that do not tell.
        provider_reason: Why that one.
        origin: Where it was forked from another run.
        parameter_names: Names of a held-out task's numbers.
        task_names: What the held-out tasks are called; () where they have no names.
        input_name: What their first input is called; "" for x.
        target_name: What their first output is called; "" for y.
        checkpoint_step: Outer steps made; None before the first write of a state.
        slots_from: The outer step at which the optimiser's state was zero.
        edits: What was changed while the run went on.
        diverged: What exploded; None where nothing did, or where the run went on.
        bookmarks: What a person has marked; None in files that do not tell.
    """

    # What a later version adds and this one does not use.
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="ignore")

    config: dict[str, Any]
    created: _Word
    environment: Annotated[dict[_Word, _Line], Field(max_length=100)]
    status: RunStatus
    device: _Word = ""
    provider: Literal["", "fused", "autodiff"] = ""
    provider_reason: _Line = ""
    origin: StoredOrigin | None = None
    parameter_names: Annotated[tuple[_Word, ...], Field(max_length=1000)] = ()
    task_names: Annotated[tuple[_Line, ...], Field(max_length=10_000)] = ()
    input_name: _Line = ""
    target_name: _Line = ""
    checkpoint_step: _Step | None = None
    slots_from: _Step = 0
    edits: Annotated[tuple[StoredEdit, ...], Field(max_length=_MOST_EDITS)] = ()

    diverged: StoredDivergence | None = None
    bookmarks: (
        Annotated[tuple[StoredBookmark, ...], Field(max_length=MOST_BOOKMARKS)] | None
    ) = None

    @property
    def tells_of_divergence(self) -> bool:
        """Whether the file says if the run diverged; 0.6 and newer do once it has."""
        return "diverged" in self.model_fields_set

    def divergence(self) -> Diverged | None:
        """Return what exploded."""
        return None if self.diverged is None else Diverged(**self.diverged.model_dump())

    @property
    def step(self) -> int:
        """Outer steps made."""
        return self.checkpoint_step or 0

    @property
    def ending(self) -> RunStatus:
        """How the run ended: nobody who reads a file runs it."""
        return self.status if self.status.ended else RunStatus.STOPPED

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[Any, Any]]) -> "StoredFacts":
        """Return the facts of the rows of the table.

        Raises:
            DamagedError: There are too many, one is not JSON, is missing, or has a value
                that no run writes.
        """
        content: dict[str, Any] = {}
        for count, (key, value) in enumerate(rows):
            if count == MOST_FACTS:
                raise DamagedError(f"table facts has more than {MOST_FACTS} rows")
            if not isinstance(key, str) or not isinstance(value, str):
                raise DamagedError("table facts holds what is no text")
            try:
                content[key] = from_json(value)
            except PlainDataError as error:
                raise DamagedError(f"fact {key[:_SHOWN]!r} {error}") from error
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise DamagedError(_problem(error)) from error

    def configs(self) -> ConfigHistory:
        """Return the experiment as it was at each outer step.

        Raises:
            ConfigError: The configuration or an edit is not allowed.
            EditError: An edit is of a field that cannot change.
            DamagedError: More outer steps were made than were planned.
        """
        edits = [entry.model_dump() for entry in self.edits]
        configs = ConfigHistory.from_mapping({"config": self.config, "edits": edits})
        # Each by itself: what is in force at some step is asked for while it is drawn.
        for one in {(edit.path, edit.value): edit for edit in configs.edits}.values():
            edited(configs.at(0), [one])
        planned = configs.after(MOST_STEPS).outer.num_steps
        if self.step > planned:
            raise DamagedError(
                f"fact 'checkpoint_step' is {self.step:,}, and {planned:,} were planned"
            )
        return configs

    def marks(self) -> Bookmarks | None:
        """Return what a person has marked; None where the file does not tell.

        Raises:
            DamagedError: They are not in order, one for each step.
        """
        if self.bookmarks is None:
            return None
        marks = tuple(Bookmark(**entry.model_dump()) for entry in self.bookmarks)
        steps = [mark.step for mark in marks]
        if steps != sorted(set(steps)):
            raise DamagedError("fact 'bookmarks' is not in the order of outer steps")
        return marks

    def origin_of_fork(self) -> Origin | None:
        """Return where the run was forked, if it was."""
        if self.origin is None:
            return None
        return Origin(parent=self.origin.parent, step=self.origin.step)


def _problem(error: ValidationError) -> str:
    """Return the first thing that is wrong with the facts, in a sentence."""
    entry = error.errors()[0]
    key = ".".join(str(part)[:_SHOWN] for part in entry["loc"])
    if entry["type"] == "missing":
        return f"fact {key!r} is missing"
    value = repr(entry["input"])
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return f"fact {key!r} is {shown}: {str(entry['msg']).lower()}"


def most_bytes(*tables: Shapes) -> int:
    """Return the longest blob that arrays of some shapes can make."""
    item = np.dtype(np.float64).itemsize
    numbers = [sum(int(np.prod(s)) for s in shapes.values()) for shapes in tables]
    return _HEADER_BYTES + item * max(numbers)


def stored_arrays(
    data: object,
    shapes: Shapes,
    part: str,
    *,
    optional: Iterable[str] = (),
    earlier: Shapes = MappingProxyType({}),
) -> Mapping[str, Array]:
    """Return the arrays of a blob, which have the shapes they must have.

    Args:
        data: What the column holds.
        shapes: Name -> shape of every array.
        part: What they are of, for messages.
        optional: Arrays that may be missing, all of them or none.
        earlier: Shapes that files of earlier versions have instead.

    Raises:
        DamagedError: It is no blob of arrays, or of others.
    """
    try:
        arrays = unpacked(data)
    except RunFileError as error:
        raise DamagedError(f"{part}: {error}") from error
    without = {name for name in shapes if name not in set(optional)}
    if set(arrays) not in (set(shapes), without):
        found = ", ".join(sorted(arrays))[:_SHOWN]
        raise DamagedError(f"{part}: it holds {found!r}, not {', '.join(shapes)}")
    for name, shape in shapes.items():
        allowed = (shape, earlier.get(name, shape))
        if name in arrays and arrays[name].shape not in allowed:
            raise DamagedError(
                f"{part}: {name} has the shape {arrays[name].shape}, the experiment "
                f"needs {shape}"
            )
    return arrays
