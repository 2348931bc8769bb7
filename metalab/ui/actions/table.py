"""Everything that can be done in the window, in one table.

Menus, toolbar, the list of shortcuts and the tests are made from it.
"""

from PySide6.QtGui import QKeySequence

from metalab.ui.actions.lines import COMMANDS
from metalab.ui.actions.spec import ActionSpec
from metalab.ui.workspaces.registry import WORKSPACES, page_shortcut

MENUS = {
    "file": "&File",
    "run": "&Run",
    "workspace": "&Workspace",
    "view": "&View",
    "help": "&Help",
}
"""Titles of the menus, in their order; presets have one of their own."""

ACTIONS = (
    *COMMANDS,
    *(
        ActionSpec(
            key=f"page_{spec.key}",
            text=spec.text,
            tooltip=spec.tooltip,
            menu="workspace",
            shortcuts=(page_shortcut(spec),),
            synonyms=spec.synonyms,
        )
        for spec in WORKSPACES
    ),
)

SPECS = {spec.key: spec for spec in ACTIONS}

TOOLBAR_STEPS = ("step_1", "step_10", "step_100")
"""Actions behind the one step button."""


def shown_shortcut(spec: ActionSpec) -> str:
    """Return the keys of an action as this desktop writes them."""
    keys = QKeySequence(spec.shortcuts[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
