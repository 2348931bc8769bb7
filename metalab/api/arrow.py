"""Columns of numbers for Arrow's C stream interface, without any Arrow library.

polars, pyarrow, DuckDB and others read `__arrow_c_stream__`: three C structures and their
callbacks, written here with ctypes for one batch of float64 columns without nulls.

Source: arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
"""

import ctypes
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

_NAME = b"arrow_array_stream"
"""Of the capsule; it must outlive every capsule."""

_STRUCT, _FLOAT64 = b"+s", b"g"
_NULLABLE = 2
"""Flag: a consumer may put such columns beside others that have nulls."""

_END_OF_STREAM = 0

_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_LastError = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)


class _Schema(ctypes.Structure):
    _fields_: ClassVar[Sequence[Any]] = [
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.POINTER(ctypes.c_void_p)),
        ("dictionary", ctypes.c_void_p),
        ("release", _Release),
        ("private_data", ctypes.c_void_p),
    ]


class _Array(ctypes.Structure):
    _fields_: ClassVar[Sequence[Any]] = [
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.POINTER(ctypes.c_void_p)),
        ("dictionary", ctypes.c_void_p),
        ("release", _Release),
        ("private_data", ctypes.c_void_p),
    ]


class _Stream(ctypes.Structure):
    _fields_: ClassVar[Sequence[Any]] = [
        ("get_schema", _Get),
        ("get_next", _Get),
        ("get_last_error", _LastError),
        ("release", _Release),
        ("private_data", ctypes.c_void_p),
    ]


_alive: dict[int, tuple[Any, ...]] = {}
"""Things that the consumer's structures point to, by the number in their `private_data`."""

_numbers = count(1)


def _kept(*things: Any) -> int:
    """Keep things alive until the structure with the returned number is released."""
    number = next(_numbers)
    _alive[number] = things
    return number


def _pointers(addresses: list[int | None]) -> Any:
    return (ctypes.c_void_p * max(1, len(addresses)))(*addresses)


def _releaser(structure: type[ctypes.Structure]) -> Any:
    """Return the callback that releases structures of a type, children first.

    A consumer may have moved a child elsewhere; it is marked as released here then, and
    what it points to has a number of its own.
    """

    def release(address: int) -> None:
        held: Any = structure.from_address(address)
        for index in range(getattr(held, "n_children", 0)):
            child: Any = structure.from_address(held.children[index])
            if child.release:
                child.release(held.children[index])
        held.release = _Release()
        alive.pop(held.private_data, None)

    # Bound here, and the callback never freed: a consumer that lives until the interpreter
    # ends calls it after the globals of this module are gone.
    alive = _alive
    return _immortal(_Release(release))


def _immortal(callback: Any) -> Any:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(callback))
    return callback


_release_schema = _releaser(_Schema)
_release_array = _releaser(_Array)
_release_stream = _releaser(_Stream)


def _fill_schema(out: _Schema, kind: bytes, name: bytes, names: list[bytes]) -> None:
    children = [_Schema() for _ in names]
    for child, its_name in zip(children, names, strict=True):
        _fill_schema(child, _FLOAT64, its_name, [])
    places = _pointers([ctypes.addressof(child) for child in children])
    out.format, out.name, out.metadata, out.flags = kind, name, None, _NULLABLE
    out.n_children, out.children, out.dictionary = len(names), places, None
    out.release = _release_schema
    out.private_data = _kept(kind, name, children, places)


def _fill_column(out: _Array, column: NDArray[np.float64]) -> None:
    # No first buffer: there are no nulls, and NaN is a number that is none.
    buffers = _pointers([None, column.ctypes.data])
    out.length, out.null_count, out.offset = len(column), 0, 0
    out.n_buffers, out.buffers = 2, buffers
    out.n_children, out.children, out.dictionary = 0, None, None
    out.release = _release_array
    out.private_data = _kept(column, buffers)


def _fill_batch(out: _Array, columns: list[NDArray[np.float64]]) -> None:
    children = [_Array() for _ in columns]
    for child, column in zip(children, columns, strict=True):
        _fill_column(child, column)
    places = _pointers([ctypes.addressof(child) for child in children])
    buffers = _pointers([None])
    out.length = len(columns[0]) if columns else 0
    out.null_count, out.offset, out.n_buffers = 0, 0, 1
    out.buffers, out.n_children, out.children = buffers, len(columns), places
    out.dictionary, out.release = None, _release_array
    out.private_data = _kept(children, places, buffers)


def _destroy(capsule: int) -> None:
    """Release a stream that nobody has taken out of its capsule."""
    address = _get_pointer(capsule, _NAME)
    stream: Any = _Stream.from_address(address)
    if stream.release:
        stream.release(address)
    _alive.pop(_capsules.pop(address), None)


_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype, _get_pointer.argtypes = (
    ctypes.c_void_p,
    [ctypes.c_void_p, ctypes.c_char_p],
)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype, _new_capsule.argtypes = (
    ctypes.py_object,
    [ctypes.c_void_p, ctypes.c_char_p, _Destructor],
)
_destructor = _immortal(_Destructor(_destroy))
_capsules: dict[int, int] = {}
"""Number that keeps the stream of each capsule, by its address."""


def stream_of(columns: Mapping[str, NDArray[np.float64]]) -> Any:
    """Return a capsule with an Arrow C stream of one batch. No number is copied.

    Args:
        columns: Equally long columns by name, [row].
    """
    names = [name.encode() for name in columns]
    parts = [
        np.ascontiguousarray(column, dtype=np.float64) for column in columns.values()
    ]
    left = [parts]

    def get_schema(_stream: int, address: int) -> int:
        _fill_schema(_Schema.from_address(address), _STRUCT, b"", names)
        return _END_OF_STREAM

    def get_next(_stream: int, address: int) -> int:
        out = _Array.from_address(address)
        if left:
            _fill_batch(out, left.pop())
        else:
            out.release = _Release()
        return _END_OF_STREAM

    def last_error(_stream: int) -> None:
        return None

    stream = _Stream()
    callbacks = _Get(get_schema), _Get(get_next), _LastError(last_error)
    stream.get_schema, stream.get_next, stream.get_last_error = callbacks
    stream.release = _release_stream
    # Twice: the consumer moves the structure out and releases what it points to; the
    # capsule frees the structure.
    stream.private_data = _kept(callbacks)
    address = ctypes.addressof(stream)
    _capsules[address] = _kept(stream)
    return _new_capsule(address, _NAME, _destructor)
