"""What the window can do just now, and what it could not."""

from enum import Enum, auto
from typing import NamedTuple


class Phase(Enum):
    """What the window can do just now."""

    LOADING = auto()
    """The engine is being imported."""
    IDLE = auto()
    """No run takes commands; one that has ended may be shown."""
    RUNNING = auto()
    PAUSED = auto()
    STOPPING = auto()
    """A run has been told to end and is being saved, or a file is being read."""


class Notice(NamedTuple):
    """What became of a command, for a banner: mostly what could not be done, and why."""

    title: str
    text: str
    tone: str = "error"
