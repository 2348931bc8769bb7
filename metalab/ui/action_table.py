"""Everything that can be done in the window, in one table.

Menus, toolbar, the list of shortcuts and the tests are made from it.
"""

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

from metalab.ui import allowed
from metalab.ui.action_spec import ActionSpec, WorkspaceSpec

WORKSPACES = tuple(
    WorkspaceSpec(
        key=key, text=text, tooltip=tooltip, page=page, shortcut=f"Ctrl+{number}"
    )
    for number, (key, text, tooltip, page) in enumerate(
        (
            ("live", "&Live", "Watch the run", "metalab.ui.views.live:LiveWorkspace"),
            (
                "adapt",
                "&Adapt",
                "Adapt by hand",
                "metalab.ui.workspaces.adapt:AdaptWorkspace",
            ),
        ),
        start=1,
    )
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

_COMMANDS = (
    ActionSpec(
        key="open_file",
        text="&Open run file…",
        tooltip="Show a run that was kept, and go on with it",
        menu="file",
        shortcuts=("Ctrl+O",),
        icon="open",
        why_not=allowed.why_not_open,
    ),
    ActionSpec(
        key="export",
        text="&Export figure…",
        tooltip="Make a figure for a paper or a slide",
        menu="file",
        shortcuts=("Ctrl+E",),
        icon="export",
        short="Export",
        why_not=allowed.why_not_export,
    ),
    ActionSpec(
        key="copy_plot",
        text="&Copy plot",
        tooltip="Put the plot that has the focus on the clipboard, as it is on the screen",
        menu="file",
        shortcuts=("Ctrl+Shift+C",),
        why_not=allowed.why_not_export,
    ),
    ActionSpec(
        key="quit",
        text="&Quit",
        tooltip="Close metalab; a run in progress is saved",
        menu="file",
        shortcuts=("Ctrl+Q",),
        separated=True,
    ),
    ActionSpec(
        key="toggle_run",
        text="&Run",
        tooltip="Run, pause, or go on",
        menu="run",
        shortcuts=("Space",),
        icon="play",
        why_not=allowed.why_not_run,
    ),
    ActionSpec(
        key="step_1",
        text="Step &1",
        tooltip="Make one outer step, then wait",
        menu="run",
        shortcuts=(".",),
        icon="step",
        why_not=allowed.why_not_run,
    ),
    ActionSpec(
        key="step_10",
        text="Step 1&0",
        tooltip="Make ten outer steps, then wait",
        menu="run",
        shortcuts=("Ctrl+.",),
        icon="step",
        why_not=allowed.why_not_run,
    ),
    ActionSpec(
        key="step_100",
        text="Step 10&0",
        tooltip="Make a hundred outer steps, then wait",
        menu="run",
        shortcuts=("Alt+.",),
        icon="step",
        why_not=allowed.why_not_run,
    ),
    ActionSpec(
        key="stop",
        text="Stop and &keep",
        tooltip="End the run and keep what it has",
        menu="run",
        shortcuts=("Ctrl+K",),
        icon="stop",
        why_not=allowed.why_not_stop,
        separated=True,
    ),
    ActionSpec(
        key="start",
        text="Start &new run",
        tooltip="Run what the form says from step 0; a run in progress is kept",
        menu="run",
        shortcuts=("Ctrl+Return", "Ctrl+Enter"),
        icon="play",
        why_not=allowed.why_not_start,
        separated=True,
    ),
    ActionSpec(
        key="reset",
        text="R&eset, same seed",
        tooltip="Start over from the same initial meta-parameters and tasks; "
        "the run so far is kept",
        menu="run",
        shortcuts=("Ctrl+R",),
        icon="reset",
        short="Reset",
        why_not=allowed.why_not_reset,
    ),
    ActionSpec(
        key="reset_new_seed",
        text="Reset, new &seed",
        tooltip="Start over with a seed drawn at random; the run so far is kept",
        menu="run",
        shortcuts=("Ctrl+Shift+R",),
        icon="dice",
        why_not=allowed.why_not_reset,
    ),
    ActionSpec(
        key="inner_back",
        text="Inner step &back",
        tooltip="Point out the inner step before",
        menu="view",
        shortcuts=(",",),
        why_not=allowed.why_not_export,
    ),
    ActionSpec(
        key="inner_forward",
        text="Inner step &forward",
        tooltip="Point out the next inner step",
        menu="view",
        shortcuts=(";",),
        why_not=allowed.why_not_export,
    ),
    ActionSpec(
        key="search",
        text="&Search settings",
        tooltip="Find a setting in the form",
        menu="view",
        shortcuts=("Ctrl+F",),
        why_not=allowed.why_not_edit,
        separated=True,
    ),
    ActionSpec(
        key="show_experiment",
        text="E&xperiment",
        tooltip="Show or hide the form",
        menu="view",
        shortcuts=("Ctrl+Shift+E",),
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        key="show_diagnostics",
        text="&Diagnostics",
        tooltip="Show or hide cosines, curvature and distances over training",
        menu="view",
        shortcuts=("Ctrl+Shift+D",),
        checkable=True,
    ),
    ActionSpec(
        key="show_problems",
        text="&Problems",
        tooltip="Show or hide the list of errors",
        menu="view",
        shortcuts=("Ctrl+Shift+M",),
        checkable=True,
    ),
    ActionSpec(
        key="present",
        text="P&resent",
        tooltip="Fill the screen with the plots, large enough for a lecture room",
        menu="view",
        shortcuts=("F11",),
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        key="reset_layout",
        text="Reset &layout",
        tooltip="Put the window's parts where they were at first",
        menu="view",
        shortcuts=("Ctrl+Shift+L",),
    ),
    ActionSpec(
        key="toggle_theme",
        text="Light or dark &theme",
        tooltip="Change between the light and the dark theme",
        menu="view",
        shortcuts=("Ctrl+T",),
        icon="sun",
        separated=True,
    ),
    ActionSpec(
        key="palette",
        text="&Command palette…",
        tooltip="Find anything that can be done by some letters of its name",
        menu="help",
        shortcuts=("Ctrl+Shift+P",),
    ),
    ActionSpec(
        key="shortcuts",
        text="&Keyboard shortcuts",
        tooltip="List what can be done, with its keys",
        menu="help",
        shortcuts=("F1",),
        icon="help",
    ),
    ActionSpec(
        key="about",
        text="&About metalab",
        tooltip="Tell versions and where runs are kept",
        menu="help",
        shortcuts=("Shift+F1",),
    ),
)

ACTIONS = (
    *_COMMANDS,
    *(
        ActionSpec(
            key=f"page_{spec.key}",
            text=spec.text,
            tooltip=spec.tooltip,
            menu="workspace",
            shortcuts=(spec.shortcut,),
        )
        for spec in WORKSPACES
    ),
)

SPECS = {spec.key: spec for spec in ACTIONS}

TOOLBAR_STEPS = ("step_1", "step_10", "step_100")
"""Actions behind the one step button."""


def tr(text: str) -> str:
    """Return a text of the table in the language of the desktop."""
    return QCoreApplication.translate("actions", text)


def plain(text: str) -> str:
    """Return a menu text without mnemonic and ellipsis."""
    return text.replace("&", "").removesuffix("…")


def shown_shortcut(spec: ActionSpec) -> str:
    """Return the keys of an action as this desktop writes them."""
    keys = QKeySequence(spec.shortcuts[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText)
