"""Everything that can be done in the window, in one table.

Menus, toolbar, the list of shortcuts and the tests are made from it.
"""

from PySide6.QtGui import QKeySequence

from metalab.ui.actions.lines import COMMANDS
from metalab.ui.actions.spec import ActionSpec, WorkspaceSpec

_PAGES = (
    ("live", "&Live", "Watch the run", "workspaces.live.workspace:LiveWorkspace"),
    ("adapt", "&Adapt", "Adapt by hand", "workspaces.adapt.workspace:AdaptWorkspace"),
    (
        "landscape",
        "Lan&dscape",
        "See the loss around the meta-parameters",
        "workspaces.landscape.workspace:LandscapeWorkspace",
    ),
    (
        "estimators",
        "&Estimators",
        "Weigh the hypergradients",
        "workspaces.estimators.workspace:EstimatorsWorkspace",
    ),
    (
        "structure",
        "&Structure",
        "See what lies in what",
        "workspaces.structure.workspace:StructureWorkspace",
    ),
    (
        "start",
        "S&tart",
        "Begin with a card",
        "workspaces.start.workspace:StartWorkspace",
    ),
)

_PAGE_SYNONYMS = {
    "adapt": (
        "compare two runs (Add run…)",
        "overlay another run (Add run…)",
        "lay runs over each other (Add run…)",
    ),
    "estimators": ("compare estimators",),
}
"""Of what is done on a page and has no action of its own."""

WORKSPACES = tuple(
    WorkspaceSpec(
        key=key,
        text=text,
        tooltip=tooltip,
        page=f"metalab.ui.{page}",
        shortcut=f"Ctrl+{number}",
        synonyms=_PAGE_SYNONYMS.get(key, ()),
    )
    for number, (key, text, tooltip, page) in enumerate(_PAGES, start=1)
)
"""The pages of the centre, in their order: to add one, add a line and its file."""

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
            shortcuts=(spec.shortcut,),
            synonyms=spec.synonyms,
        )
        for spec in WORKSPACES
    ),
)

SPECS = {spec.key: spec for spec in ACTIONS}

TOOLBAR_STEPS = ("step_1", "step_10", "step_100")
"""Actions behind the one step button."""


def plain(text: str) -> str:
    """Return a menu text without mnemonic and ellipsis."""
    return text.replace("&", "").removesuffix("…")


def shown_shortcut(spec: ActionSpec) -> str:
    """Return the keys of an action as this desktop writes them."""
    keys = QKeySequence(spec.shortcuts[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
