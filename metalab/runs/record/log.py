"""The log behind the database of a run file that is being written.

A run that goes on appends one record a second to its file and changes no byte that is
there already. So whatever copies the file, at whatever moment, in whatever order and
however often it is interrupted, has a beginning of the log: the run as it was at the
last record that is whole. A database that is changed in place has no such copies: a
copy meets some pages before and some after the change, and the journal that would tell
them apart lies in another file.

A record is a head (mark, checksum, number, length; little endian) and its content,
safetensors: numbers and packed arrays as tensors, everything else as one JSON text. The
log ends before the first record that is cut off or whose checksum does not fit.
"""

import json
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO

import numpy as np
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError

from metalab.engine.events import METRICS, Array

METRIC_COLUMNS = ("step", "seconds", *(info.name for info in METRICS))
"""Columns of a metric row, in the order of `Additions.metrics`."""

_MARK = b"mlab+rec"
_HEAD = struct.Struct("<8sIQQ")
_CHECKED_FROM = 12
"""Where in a head the checksum's own part begins: number and length count in."""

_MOST_CUT_OFF = 3
"""Records at the end of a file that a crash can have left without their content."""

_TEXT = "text"
_METRICS = "metrics"
_BLOB_GROUPS = ("arrays", "probes", "snapshots")


class LogError(ValueError):
    """A record whose checksum fits and whose content does not: nobody's crash does that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What one write adds to a run.

    Attributes:
        rewound_to: Outer step that training went back to before all of this; None if
            it went on.
        facts: JSON text by key; replaces earlier facts of the same key.
        arrays: Packed arrays by name; replaces earlier ones of the same name.
        metrics: [row, column], columns as in `METRIC_COLUMNS`.
        probes: Packed losses by outer step.
        snapshots: Packed training states by outer step.
        diagnostics: Outer step, name and value; None for NaN.
        flags: Outer step, kind and message.
    """

    rewound_to: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    arrays: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    metrics: Array = field(
        default_factory=lambda: np.empty((0, len(METRIC_COLUMNS)), dtype=np.float64)
    )
    probes: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    snapshots: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    diagnostics: Sequence[tuple[int, str, float | None]] = ()
    flags: Sequence[tuple[int, str, str]] = ()


_Step = Annotated[int, Field(ge=0, le=2**62)]


class _Text(BaseModel):
    """The part of a record that is no array."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rewound_to: _Step | None
    columns: list[str]
    facts: dict[str, str]
    diagnostics: list[tuple[_Step, str, float | None]]
    flags: list[tuple[_Step, str, str]]


def encoded(additions: Additions, number: int) -> bytes:
    """Return a record.

    Args:
        additions: What it holds.
        number: Its place in the log, from 1.
    """
    text = {
        "rewound_to": additions.rewound_to,
        "columns": METRIC_COLUMNS,
        "facts": dict(additions.facts),
        "diagnostics": additions.diagnostics,
        "flags": additions.flags,
    }
    tensors = {
        _TEXT: _bytes_array(json.dumps(text).encode()),
        _METRICS: np.ascontiguousarray(additions.metrics),
    }
    blobs = (additions.arrays, additions.probes, additions.snapshots)
    for group, entries in zip(_BLOB_GROUPS, blobs, strict=True):
        tensors |= {f"{group}/{key}": _bytes_array(v) for key, v in entries.items()}
    content = safetensors.numpy.save(tensors)
    head = _HEAD.pack(_MARK, 0, number, len(content))
    checksum = _checksum(head, content)
    return _HEAD.pack(_MARK, checksum, number, len(content)) + content


def records(file: BinaryIO, start: int, end: int) -> Iterator[Additions]:
    """Yield the log, up to its first record that is not whole.

    Args:
        file: The run file.
        start: Where its log begins, in bytes.
        end: Where the file ended when it was opened: what comes later is left alone.

    Raises:
        LogError: A record is whole and cannot be understood.
        OSError: The file cannot be read.
    """
    number = 0
    while end - start >= _HEAD.size:
        number += 1
        file.seek(start)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        mark, checksum, found, length = _HEAD.unpack(head)
        start += _HEAD.size
        if mark != _MARK or found != number or length > end - start:
            return
        content = file.read(length)
        if len(content) < length or _checksum(head, content) != checksum:
            return
        start += length
        yield _decoded(content)


def newest_facts(file: BinaryIO, start: int, end: int) -> Mapping[str, str]:
    """Return the facts of the last whole record of a log; none where there is none.

    Of all records but the last, only the heads are read: for lists of many files.

    Args:
        file: The run file.
        start: Where its log begins, in bytes.
        end: Where the file ended when it was opened.

    Raises:
        LogError: The record is whole and cannot be understood.
        OSError: The file cannot be read.
    """
    places: deque[tuple[int, int]] = deque(maxlen=_MOST_CUT_OFF)
    number = 0
    while end - start >= _HEAD.size:
        number += 1
        file.seek(start)
        mark, _, found, length = _HEAD.unpack(file.read(_HEAD.size))
        if mark != _MARK or found != number or length > end - start - _HEAD.size:
            break
        places.append((start, length))
        start += _HEAD.size + length
    for place, length in reversed(places):
        file.seek(place)
        head, content = file.read(_HEAD.size), file.read(length)
        if _HEAD.unpack(head)[1] == _checksum(head, content):
            return _decoded(content).facts
    return {}


def _checksum(head: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(head[_CHECKED_FROM:]))


def _bytes_array(data: bytes) -> Array:
    return np.frombuffer(data, dtype=np.uint8)  # pyright: ignore[reportReturnType]


def _decoded(content: bytes) -> Additions:
    try:
        tensors = safetensors.numpy.load(content)
        text = _Text.model_validate_json(tensors.pop(_TEXT).tobytes())
        metrics = _checked_metrics(tensors.pop(_METRICS), text.columns)
        blobs: dict[str, dict[str, bytes]] = {group: {} for group in _BLOB_GROUPS}
        for name, data in tensors.items():
            group, _, key = name.partition("/")
            blobs[group][key] = data.tobytes()
        arrays, probes, snapshots = blobs.values()
        return Additions(
            rewound_to=text.rewound_to,
            facts=text.facts,
            arrays=arrays,
            metrics=metrics,
            probes=_BY_STEP.validate_python(probes),
            snapshots=_BY_STEP.validate_python(snapshots),
            diagnostics=text.diagnostics,
            flags=text.flags,
        )
    except (SafetensorError, ValidationError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LogError(f"a record of the log is damaged: {reason}") from error


_BY_STEP = TypeAdapter(dict[_Step, bytes])
"""What is stored by outer step; there, the step is text."""


def _checked_metrics(rows: Array, columns: list[str]) -> Array:
    """Return rows with the columns of today; NaN for those that were not known."""
    if (
        rows.dtype != np.float64
        or rows.ndim != 2
        or rows.shape[1] != len(columns)
        or len(set(columns)) != len(columns)
        or not {"step", "seconds"} <= set(columns) <= set(METRIC_COLUMNS)
    ):
        raise LogError(f"metric rows of shape {list(rows.shape)}")
    wanted = np.full((len(rows), len(METRIC_COLUMNS)), np.nan)
    wanted[:, [METRIC_COLUMNS.index(name) for name in columns]] = rows
    return wanted
