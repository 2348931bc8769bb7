"""The toolbar: the few things that are done all the time."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QPalette
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from metalab.ui.actions import TOOLBAR_STEPS, ActionSet, tr
from metalab.ui.icons import icon, theme_icon
from metalab.ui.theme import DARK, Theme

if TYPE_CHECKING:
    from metalab.catalog.recipes import Preset, Recipe

ICON_SIZE = QSize(20, 20)
_RUN_TEXTS = ("Run", "Pause", "Resume")


class RunButton(QToolButton):
    """Run, pause, resume: the one button in the accent colour, of one width."""

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self._theme = DARK
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(ICON_SIZE)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._on_action_changed)

    def set_theme(self, theme: Theme) -> None:
        """Take the accent colour."""
        self._theme = theme
        palette = QPalette(self.palette())
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        for which in (group.Active, group.Inactive):
            palette.setColor(which, role.Button, QColor(theme.accent))
            palette.setColor(which, role.ButtonText, QColor(theme.on_accent))
        self.setPalette(palette)
        self._on_action_changed()

    def sizeHint(self) -> QSize:
        """Return a size for the longest text, so that nothing beside it moves."""
        hint = super().sizeHint()
        metrics = self.fontMetrics()
        widths = {text: metrics.horizontalAdvance(tr(text)) for text in _RUN_TEXTS}
        own = metrics.horizontalAdvance(self.text())
        return QSize(hint.width() - own + max(widths.values()) + 8, hint.height())

    def _on_action_changed(self) -> None:
        enabled = self._action.isEnabled()
        colour = self._theme.on_accent if enabled else self._theme.text
        self.setEnabled(enabled)
        self.setText(self._action.iconText())
        self.setToolTip(self._action.toolTip())
        self.setAccessibleName(self._action.iconText())
        self.setIcon(icon(self._action.data() or "play", colour))


class Chip(QLabel):
    """Names the algorithm that the form describes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setContentsMargins(10, 3, 10, 3)
        self.setFrameShape(QLabel.Shape.StyledPanel)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def show_recipe(self, recipe: "Recipe | None") -> None:
        """Show a recipe; None stands for a combination without a name."""
        if recipe is None:
            self.setText(self.tr("Custom"))
            self.setToolTip(self.tr("The parts in the form make no published method"))
        else:
            self.setText(recipe.title)
            self.setToolTip(f"{recipe.summary}\n{recipe.source}")
        self.setAccessibleName(self.tr("Algorithm: {}").format(self.text()))


class PresetMenu(QMenu):
    """The presets of the catalog, by recipe.

    Attributes:
        preset_chosen: Name of the preset.
    """

    preset_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Preset"))
        self.setToolTipsVisible(True)
        self._group = QActionGroup(self)
        self._group.triggered.connect(self._on_triggered)
        self.setEnabled(False)

    def set_presets(self, presets: "tuple[tuple[Recipe, Preset], ...]") -> None:
        """List presets, a section for each recipe."""
        last = None
        for recipe, preset in presets:
            if recipe is not last:
                self.addSection(recipe.title)
                last = recipe
            action = self.addAction(preset.title)
            action.setObjectName(preset.name)
            action.setCheckable(True)
            action.setToolTip(f"{preset.source}\n{recipe.summary}")
            self._group.addAction(action)
        self.setEnabled(bool(presets))

    def mark(self, name: str) -> None:
        """Tick the preset that was opened last."""
        for action in self._group.actions():
            action.setChecked(action.objectName() == name)

    def _on_triggered(self, action: QAction) -> None:
        self.preset_chosen.emit(action.objectName())


class MainToolBar(QToolBar):
    """Run, step, stop, reset; preset and algorithm; export, theme, help.

    Attributes:
        step_chosen: Outer steps that the step button makes from now on.
    """

    step_chosen = Signal(int)

    def __init__(
        self, actions: ActionSet, presets: PresetMenu, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Toolbar"))
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(ICON_SIZE)
        self._actions = actions
        self.run_button = RunButton(actions["toggle_run"], self)
        self.step_button = self._make_step_button()
        self.reset_button = self._split_button(("reset", "reset_new_seed"))
        self.preset_button = self._make_preset_button(presets)
        self.chip = Chip(self)
        self._fill()

    def _fill(self) -> None:
        self.addWidget(self.run_button)
        self.addWidget(self.step_button)
        self._add_action("stop", with_text=True)
        self.addWidget(self.reset_button)
        self.addSeparator()
        self.addWidget(self.preset_button)
        self.addWidget(self.chip)
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self._add_action("export", with_text=True)
        self._add_action("toggle_theme")
        self._add_action("shortcuts")

    def _add_action(self, key: str, *, with_text: bool = False) -> None:
        self.addAction(self._actions[key])
        button = self.widgetForAction(self._actions[key])
        assert isinstance(button, QToolButton), "Qt makes a button of an action"
        if with_text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def _make_step_button(self) -> QToolButton:
        button = self._split_button(TOOLBAR_STEPS)
        button.menu().triggered.connect(self._on_step_triggered)
        return button

    def _split_button(self, keys: tuple[str, ...]) -> QToolButton:
        """Return a button for the first action, with a menu of all of them."""
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        menu = QMenu(button)
        menu.addActions([self._actions[key] for key in keys])
        button.setMenu(menu)
        button.setDefaultAction(self._actions[keys[0]])
        return button

    def _make_preset_button(self, presets: PresetMenu) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setText(self.tr("Preset"))
        button.setToolTip(
            self.tr("Put the settings of a published experiment in the form")
        )
        button.setMenu(presets)
        return button

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours; the actions' icons change with the actions."""
        self.run_button.set_theme(theme)
        self.preset_button.setIcon(theme_icon("preset", theme))

    def show_step_size(self, num_steps: int) -> None:
        """Make the step button do this many outer steps."""
        self.step_button.setDefaultAction(self._actions[f"step_{num_steps}"])

    def _on_step_triggered(self, action: QAction) -> None:
        num_steps = int(action.objectName().removeprefix("step_"))
        self.show_step_size(num_steps)
        self.step_chosen.emit(num_steps)
