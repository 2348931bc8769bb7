"""Keys that a part of the window takes while it has the focus, in one table.

Keys that work everywhere belong to actions, and stand in `metalab.ui.actions.table`.
"""

from dataclasses import dataclass

from PySide6.QtGui import QKeySequence


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewKeys:
    """What some keys do in one part of the window.

    Attributes:
        place: Where the focus is; a key of `PLACES`.
        text: What they do.
        keys: One or more, any of which does it, or does its part of it.
    """

    place: str
    text: str
    keys: tuple[str, ...]


PLACES = {
    "plot": "In a plot",
    "points": "On support points",
    "slider": "On a ruler or a slider",
    "outer": "On the ruler of outer steps",
    "gallery": "In the gallery",
    "form": "In the form",
    "palette": "In the command palette",
}
"""Headings of the parts, in their order."""

VIEW_KEYS = (
    ViewKeys(place="plot", text="Move the crosshair", keys=("Left", "Right")),
    ViewKeys(place="plot", text="Zoom in and out", keys=("+", "-")),
    ViewKeys(place="plot", text="Fit the axes to the data", keys=("0",)),
    ViewKeys(place="plot", text="Hide the crosshair", keys=("Esc",)),
    ViewKeys(
        place="points", text="Select the next or previous", keys=("Tab", "Shift+Tab")
    ),
    ViewKeys(
        place="points",
        text="Move the selected point",
        keys=("Left", "Right", "Up", "Down"),
    ),
    ViewKeys(
        place="points",
        text="Move it in finer steps",
        keys=("Shift+Left", "Shift+Right", "Shift+Up", "Shift+Down"),
    ),
    ViewKeys(place="points", text="Put all of them back", keys=("Esc",)),
    ViewKeys(
        place="slider",
        text="One step back or forward",
        keys=("Left", "Right", "Down", "Up"),
    ),
    ViewKeys(
        place="slider", text="Some steps back or forward", keys=("PgDown", "PgUp")
    ),
    ViewKeys(place="slider", text="To the first or the last", keys=("Home", "End")),
    ViewKeys(place="outer", text="Bookmark the outer step", keys=("B",)),
    ViewKeys(
        place="outer",
        text="To the bookmark before or after",
        keys=("Ctrl+Left", "Ctrl+Right"),
    ),
    ViewKeys(
        place="gallery",
        text="Go to another task",
        keys=("Left", "Right", "Up", "Down"),
    ),
    ViewKeys(
        place="gallery", text="Show the task in every plot", keys=("Return", "Enter")
    ),
    ViewKeys(place="form", text="Change a number by a step", keys=("Up", "Down")),
    ViewKeys(place="form", text="Undo and redo edits", keys=("Ctrl+Z", "Ctrl+Shift+Z")),
    ViewKeys(place="form", text="Clear the search", keys=("Esc",)),
    ViewKeys(
        place="palette",
        text="Go to another command",
        keys=("Up", "Down", "PgUp", "PgDown"),
    ),
    ViewKeys(place="palette", text="Do it", keys=("Return", "Enter")),
    ViewKeys(place="palette", text="Close it", keys=("Esc",)),
)


def shown_keys(keys: tuple[str, ...]) -> str:
    """Return keys as this desktop writes them, one after the other."""
    native = QKeySequence.SequenceFormat.NativeText
    return "  ".join(QKeySequence(key).toString(native) for key in keys)
