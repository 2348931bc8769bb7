"""Output of commands: one JSON object on stdout, or text for people."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from metalab.cli.channel import lost_output

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

_USUAL_WIDTH = 80


def print_json(value: Any) -> None:
    """Print one JSON value, and nothing else, on stdout."""
    print(json_text(value))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON.

    JSON has no NaN: values that are not finite become null.
    """
    return json.dumps(_plain(value), allow_nan=False, indent=indent)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def console(*, json_output: bool = False) -> Console:
    """Return where text for people goes: stderr when stdout carries JSON."""
    # No markup: a name may hold brackets and colons, and is shown as it is.
    screen = Console(
        stderr=json_output, highlight=False, soft_wrap=True, markup=False, emoji=False
    )
    if screen.width < 1:
        # COLUMNS=0: no line would be shown at all.
        screen.width = _USUAL_WIDTH
    return screen


def delivered() -> int:
    """Return the exit code of a command whose whole work is what it has printed."""
    return 0 if lost_output() is None else 1


def warn(message: str) -> None:
    """Print one line on stderr."""
    print(f"metalab: {message}", file=sys.stderr)


def warn_if_lacking(file: Path, history: "RunHistory") -> None:
    """Say what a run file lacks that nobody closed."""
    from metalab.runs.record.copies import lacking  # noqa: PLC0415 - torch

    words = lacking(history)
    if words:
        warn(f"{file} is {words}")
