"""The toolbar: the few things that are done all the time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from metalab.ui.actions.action_set import ActionSet
from metalab.ui.actions.table import TOOLBAR_STEPS
from metalab.ui.shell.tool_buttons import Chip, Look, ToolbarButton
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

if TYPE_CHECKING:
    from metalab.catalog.recipes import Preset, Recipe

_RUN_TEXTS = ("Run", "Pause", "Resume")
_GAP = 8


class PresetMenu(QMenu):
    """The presets of the catalog: a menu for each family of methods, a section a recipe.

    The family of the preset that the experiment comes from is ticked as the preset is.

    Attributes:
        preset_chosen: Name of the preset.
    """

    preset_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle("&Preset")
        self.setToolTipsVisible(True)
        self._families: dict[str, QMenu] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._group = QActionGroup(self)
        self._group.triggered.connect(self._on_triggered)
        self.setEnabled(False)

    def set_presets(self, presets: "tuple[tuple[Recipe, Preset], ...]") -> None:
        """List presets: families in the order of their recipes, then recipes."""
        last = None
        for recipe, preset in presets:
            menu = self._family(recipe.family)
            if recipe is not last:
                menu.addSection(recipe.title)
                last = recipe
            action = menu.addAction(preset.title)
            action.setObjectName(preset.name)
            action.setCheckable(True)
            action.setToolTip(f"{preset.source}\n{recipe.summary}")
            self._names[preset.name] = (preset.name, *recipe.names)
            self._group.addAction(action)
        self.setEnabled(bool(presets))

    def _family(self, title: str) -> QMenu:
        if title not in self._families:
            menu = self.addMenu(title)
            menu.setToolTipsVisible(True)
            menu.menuAction().setCheckable(True)
            self._families[title] = menu
        return self._families[title]

    @property
    def presets(self) -> list[QAction]:
        """An action for each preset, named after it, in the order of the menus."""
        menus = self._families.values()
        return [a for menu in menus for a in menu.actions() if a.objectName()]

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Other names of each preset beside its title: its own, and its recipe's."""
        return self._names

    def mark(self, name: str) -> None:
        """Tick the preset that the experiment comes from, and its family."""
        for menu in self._families.values():
            for action in menu.actions():
                action.setChecked(action.objectName() == name)
            ticked = any(action.isChecked() for action in menu.actions())
            menu.menuAction().setChecked(ticked)

    def _on_triggered(self, action: QAction) -> None:
        self.preset_chosen.emit(action.objectName())


class MainToolBar(QToolBar):
    """Run, step, stop, reset; preset and algorithm; export, theme, help.

    Attributes:
        step_chosen: Outer steps that the step button makes from now on.
        run_button: Run, pause, resume.
        step_button: Some outer steps.
        chip: The algorithm.
    """

    step_chosen = Signal(int)

    def __init__(
        self, actions: ActionSet, presets: PresetMenu, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Toolbar")
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = actions
        self._preset = QAction("Preset", self)
        self._preset.setToolTip(
            "Put the settings of a published experiment in the form (Alt+P)"
        )
        self.run_button = ToolbarButton(
            actions["toggle_run"], Look.ACCENT, texts=list(_RUN_TEXTS)
        )
        self.step_button = self._split_button(TOOLBAR_STEPS)
        self.step_button.menu().triggered.connect(self._on_step_triggered)
        self.chip = Chip()
        self._fill(presets)
        follow_theme(self._take_theme)

    def _fill(self, presets: PresetMenu) -> None:
        actions = self._actions
        preset_button = ToolbarButton(self._preset)
        preset_button.setMenu(presets)
        self._preset.setEnabled(presets.isEnabled())
        presets.menuAction().enabledChanged.connect(self._preset.setEnabled)
        preset_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        for widget in (
            _gap(3),
            self.run_button,
            _gap(),
            self.step_button,
            ToolbarButton(actions["stop"]),
            self._split_button(("reset", "reset_new_seed")),
            _gap(),
            preset_button,
            _gap(4),
            self.chip,
            space,
            ToolbarButton(actions["export"]),
            ToolbarButton(actions["toggle_theme"], Look.ICON_ONLY),
            ToolbarButton(actions["shortcuts"], Look.ICON_ONLY),
        ):
            self.addWidget(widget)

    def _split_button(self, keys: tuple[str, ...]) -> ToolbarButton:
        """Return a button for the first action, with a menu of all of them."""
        button = ToolbarButton(self._actions[keys[0]])
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        menu.addActions([self._actions[key] for key in keys])
        button.setMenu(menu)
        return button

    def _take_theme(self, theme: Theme) -> None:
        self._preset.setIcon(theme_icon("preset", theme))

    def show_step_size(self, num_steps: int) -> None:
        """Make the step button do this many outer steps."""
        self.step_button.setDefaultAction(self._actions[f"step_{num_steps}"])
        self.step_button.updateGeometry()

    def _on_step_triggered(self, action: QAction) -> None:
        num_steps = int(action.objectName().removeprefix("step_"))
        self.show_step_size(num_steps)
        self.step_chosen.emit(num_steps)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw the window's ground and one line below, for Fusion draws a gradient."""
        painter = QPainter(self)
        theme = current_theme()
        painter.fillRect(self.rect(), QColor(theme.window))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(theme.border))
        painter.end()


def _gap(width: int = _GAP) -> QWidget:
    gap = QWidget()
    gap.setFixedWidth(width)
    return gap
