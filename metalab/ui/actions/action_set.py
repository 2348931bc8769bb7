"""The actions of a window: made from the table, kept in step with its session."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QIcon, QKeySequence

from metalab.ui.actions.spec import ActionSpec
from metalab.ui.actions.table import ACTIONS, shown_shortcut
from metalab.ui.session.phase import Phase
from metalab.ui.session.session import Session
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.plain_text import plain_label


class ActionSet(QObject):
    """The actions of one window, kept in step with its session."""

    def __init__(self, session: Session, *, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._run_icons: dict[str, QIcon] = {}
        self._actions = {spec.key: _action(spec, self) for spec in ACTIONS}
        session.state_changed.connect(self.refresh)
        follow_theme(self._take_theme)
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

    def _take_theme(self, theme: Theme) -> None:
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
        idle_text = "&Resume" if going_on else "&Run"
        text = "&Pause" if running else idle_text
        action.setText(text)
        action.setIconText(plain_label(text))
        icon = "pause" if running else "play"
        action.setIcon(self._run_icons[icon])
        action.setData(icon)


def _action(spec: ActionSpec, parent: QObject) -> QAction:
    action = QAction(spec.text, parent)
    action.setObjectName(spec.key)
    action.setCheckable(spec.checkable)
    action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
    action.setIconText(plain_label(spec.short or spec.text))
    return action


def _tooltip(spec: ActionSpec, reason: str) -> str:
    text = f"{spec.tooltip} ({shown_shortcut(spec)})"
    return f"{text}\n{reason}" if reason else text
