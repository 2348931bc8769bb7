"""Phases of the window, and notices."""

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
    """The outcome of a command, for a banner: mostly what could not be done, and why.

    Attributes:
        title: What happened.
        text: The rest, in a sentence or two.
        tone: Role of the theme.
        buttons: Key of an action and label of each choice.
    """

    title: str
    text: str
    tone: str = "error"
    buttons: tuple[tuple[str, str], ...] = ()


class Stake(Enum):
    """Anything that would end, or be gone, if another run took the place of this one."""

    NOTHING = auto()
    """The run is in its file, whole."""
    RUN = auto()
    """It goes on, or waits to."""
    STEPS = auto()
    """Outer steps of it are not in its file, which could not be written."""
    BOOKMARKS = auto()
    """Bookmarks of it are not in its file, which could not be written."""
