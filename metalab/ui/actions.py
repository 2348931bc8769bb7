"""Everything that can be done in the window, in one table.

Menus, toolbar, the list of shortcuts and the tests are made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QIcon, QKeySequence

from metalab.ui import allowed
from metalab.ui.icons import theme_icon
from metalab.ui.phase import Phase
from metalab.ui.session import Session
from metalab.ui.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One thing that can be done.

    Attributes:
        key: Unique name; the handler is the method of this name of `Commands`.
        text: As in a menu, with its mnemonic.
        tooltip: One plain sentence; shortcut and reason for being off are added.
        menu: The menu it stands in.
        shortcuts: Keys; the first is shown.
        icon: File in `assets/icons`; "" for none.
        short: On the toolbar, if shorter than `text`.
        why_not: Returns why it would do nothing just now; "" if it would.
        checkable: Whether it is a state that is on or off.
        separated: Whether a line stands before it in its menu.
    """

    key: str
    text: str
    tooltip: str
    menu: str
    shortcuts: tuple[str, ...]
    icon: str = ""
    short: str = ""
    why_not: Callable[[Session], str] = allowed.always
    checkable: bool = False
    separated: bool = False


MENUS = {"file": "&File", "run": "&Run", "view": "&View", "help": "&Help"}
"""Titles of the menus, in their order; presets have one of their own."""

ACTIONS = (
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
        key="show_problems",
        text="&Problems",
        tooltip="Show or hide the list of errors",
        menu="view",
        shortcuts=("Ctrl+Shift+M",),
        checkable=True,
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

SPECS = {spec.key: spec for spec in ACTIONS}

TOOLBAR_STEPS = ("step_1", "step_10", "step_100")
"""Actions behind the one step button."""


def tr(text: str) -> str:
    """Return a text of the table in the language of the desktop."""
    return QCoreApplication.translate("actions", text)


def plain(text: str) -> str:
    """Return a menu text without mnemonic and ellipsis."""
    return text.replace("&", "").removesuffix("…")


class ActionSet(QObject):
    """The actions of one window, kept in step with its session."""

    def __init__(self, session: Session, *, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._run_icons: dict[str, QIcon] = {}
        self._actions = {spec.key: _action(spec, self) for spec in ACTIONS}
        session.state_changed.connect(self.refresh)
        self.set_theme(theme)
        self.refresh()

    def __getitem__(self, key: str) -> QAction:
        """Return the action of a key."""
        return self._actions[key]

    def all(self) -> list[tuple[ActionSpec, QAction]]:
        """Return every action, in the order of the table."""
        return [(spec, self._actions[spec.key]) for spec in ACTIONS]

    def in_menu(self, menu: str) -> list[tuple[ActionSpec, QAction]]:
        """Return what stands in a menu, in order."""
        return [(spec, action) for spec, action in self.all() if spec.menu == menu]

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for spec in ACTIONS:
            if spec.icon:
                self._actions[spec.key].setIcon(theme_icon(spec.icon, theme))
        self._run_icons = {name: theme_icon(name, theme) for name in ("play", "pause")}
        # The icon shows what a click brings.
        other = "sun" if theme.dark else "moon"
        self._actions["toggle_theme"].setIcon(theme_icon(other, theme))
        self._show_run_state()

    def refresh(self) -> None:
        """Switch actions on and off, and say why."""
        for spec in ACTIONS:
            reason = spec.why_not(self._session)
            action = self._actions[spec.key]
            action.setEnabled(not reason)
            action.setToolTip(_tooltip(spec, reason))
        self._show_run_state()

    def _show_run_state(self) -> None:
        action = self._actions["toggle_run"]
        running = self._session.phase is Phase.RUNNING
        going_on = self._session.phase is Phase.PAUSED or self._session.resumable
        idle_text = tr("&Resume") if going_on else tr("&Run")
        text = tr("&Pause") if running else idle_text
        action.setText(text)
        action.setIconText(plain(text))
        icon = "pause" if running else "play"
        action.setIcon(self._run_icons[icon])
        action.setData(icon)


def _action(spec: ActionSpec, parent: QObject) -> QAction:
    action = QAction(tr(spec.text), parent)
    action.setObjectName(spec.key)
    action.setCheckable(spec.checkable)
    action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
    action.setIconText(plain(tr(spec.short or spec.text)))
    return action


def shown_shortcut(spec: ActionSpec) -> str:
    """Return the keys of an action as this desktop writes them."""
    keys = QKeySequence(spec.shortcuts[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText)


def _tooltip(spec: ActionSpec, reason: str) -> str:
    text = f"{tr(spec.tooltip)} ({shown_shortcut(spec)})"
    return f"{text}\n{reason}" if reason else text
