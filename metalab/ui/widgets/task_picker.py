"""Choosing one of the held-out tasks."""

import random

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import tool_button

_PREFIX = "Task "
_TIP = "Held-out task that is shown"
_WIDEST_NAME = 150


class _TaskBox(QSpinBox):
    """Takes the number of a task, or the beginning of its name."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self.setPrefix(_PREFIX)

    def set_names(self, names: tuple[str, ...]) -> None:
        """Show names; () for numbers."""
        if names == self._names:
            return
        self._names = names
        self.setPrefix("" if names else _PREFIX)
        # Of the longest one, so that no name that comes or goes moves its neighbours.
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0)
        self.setMinimumWidth(min(widest, _WIDEST_NAME) + 16 if names else 0)
        # The text is made again only for another value.
        blocked = self.blockSignals(True)  # noqa: FBT003 - Qt's signature
        value = self.value()
        self.setValue(value + 1 if value < self.maximum() else value - 1)
        self.setValue(value)
        self.blockSignals(blocked)

    def textFromValue(self, val: int) -> str:
        """Return the name of a task, or its number."""
        if 0 < val <= len(self._names):
            return self._names[val - 1]
        return super().textFromValue(val)

    def valueFromText(self, text: str) -> int:
        """Return the task of a number, or of the beginning of a name."""
        found = self._found(text)
        return self.value() if found is None else found

    def validate(self, input: str, pos: int) -> object:  # noqa: A002 - Qt's name
        """Take what names a task; anything may become one."""
        if not self._names:
            return super().validate(input, pos)
        state = QValidator.State
        known = self._found(input) is not None
        return (state.Acceptable if known else state.Intermediate, input, pos)

    def _found(self, text: str) -> int | None:
        wanted = text.removeprefix(_PREFIX).strip().lower()
        if wanted.isdecimal() and 0 < int(wanted) <= self.maximum():
            return int(wanted)
        lower = [name.lower() for name in self._names]
        if wanted in lower:
            return 1 + lower.index(wanted)
        matching = (i for i, name in enumerate(lower) if name.startswith(wanted))
        place = next(matching, None) if wanted else None
        return None if place is None else 1 + place


class TaskPicker(QWidget):
    """A box with the number of the task, its neighbours, and a dice.

    Attributes:
        task_chosen: The task that a person chose, counted from 0.
    """

    task_chosen = Signal(int)

    def __init__(self, num_tasks: int, parent: QWidget | None = None) -> None:
        """Offer tasks.

        Args:
            num_tasks: How many; people count them from 1.
            parent: Qt's parent.
        """
        super().__init__(parent)
        # Only which task is looked at: nothing that is computed depends on it.
        self._random = random.Random()
        self.previous = tool_button("‹", "Previous task", parent=self)
        self.next = tool_button("›", "Next task", parent=self)
        self.dice = tool_button("", "Random task", parent=self)
        self.dice.setIconSize(QSize(16, 16))
        self.box = _TaskBox(self)
        self.box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.box.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.box.setToolTip(_TIP)
        self.box.setAccessibleName(_TIP)
        for button in (self.previous, self.next, self.dice):
            button.setAccessibleName(button.toolTip())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for widget in (self.previous, self.box, self.next, self.dice):
            layout.addWidget(widget)
        self.set_num_tasks(num_tasks)
        # Not before: the box would wrap its first value, 0, to the last task.
        self.box.setWrapping(True)
        self.box.valueChanged.connect(self._on_value_changed)
        self.previous.clicked.connect(self.box.stepDown)
        self.next.clicked.connect(self.box.stepUp)
        self.dice.clicked.connect(self._on_dice_clicked)
        follow_theme(self._take_theme)

    @property
    def task(self) -> int:
        """The chosen task, counted from 0."""
        return self.box.value() - 1

    @property
    def num_tasks(self) -> int:
        """How many tasks there are to choose from."""
        return self.box.maximum()

    def set_num_tasks(self, num_tasks: int, names: tuple[str, ...] = ()) -> None:
        """Offer other tasks.

        Args:
            num_tasks: How many.
            names: What they are called; () for numbers.
        """
        self.box.set_names(names[:num_tasks])
        if self.num_tasks != max(1, num_tasks):
            self.box.setRange(1, max(1, num_tasks))
        self.dice.setEnabled(num_tasks > 1)

    def set_task(self, task: int) -> None:
        """Choose a task, without saying so."""
        blocked = self.box.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.box.setValue(task + 1)
        self.box.blockSignals(blocked)

    def _take_theme(self, theme: Theme) -> None:
        self.dice.setIcon(theme_icon("dice", theme))

    def _on_value_changed(self) -> None:
        self.task_chosen.emit(self.task)

    def _on_dice_clicked(self) -> None:
        # Never the same one: the dice always does something.
        offset = self._random.randrange(1, self.num_tasks)
        self.box.setValue(1 + (self.task + offset) % self.num_tasks)
