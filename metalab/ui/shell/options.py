"""How a window begins."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LabOptions:
    """How a window begins.

    Attributes:
        preset: Preset in the form at first; None takes the last one, or the default.
        file: A run, a lesson or an experiment to open.
        keep_runs: Whether runs are written to files.
        welcome: Whether the very first window begins with the Start page.
        example: Whether pages have something to show before there is a run.
    """

    preset: str | None = None
    file: Path | None = None
    keep_runs: bool = True
    welcome: bool = False
    example: bool = False
