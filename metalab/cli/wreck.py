"""Notes of commands on a run file whose run diverged or was cut short."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from metalab.cli.output import warn, warn_if_lacking

if TYPE_CHECKING:
    from pathlib import Path

    from metalab.runs.record.history import RunHistory

DIVERGED = 1
"""Exit code where a run diverged, or the file of one is refused."""


def divergence_of(history: "RunHistory") -> dict[str, Any] | None:
    """Return what exploded, as JSON has it, and in words; None where nothing did."""
    diverged = history.diverged
    if diverged is None:
        return None
    return {**asdict(diverged), "message": diverged.message}


def warn_of_wreck(file: "Path", history: "RunHistory", option: str = "") -> bool:
    """Say on stderr what is wrong with a run, and return whether it diverged.

    Args:
        file: The run file.
        history: The run.
        option: What makes the command use the last good state, where it does not unless
            it is asked to.
    """
    warn_if_lacking(file, history)
    if history.diverged is None:
        return False
    told = f"{file} diverged: {history.diverged.message}"
    warn(f"{told} {option}" if option else told)
    return True
