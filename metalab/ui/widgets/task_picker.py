"""Choosing one of the held-out tasks."""

import random

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import tool_button


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
        self.box = QSpinBox(self)
        self.box.setPrefix("Task ")
        self.box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.box.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        tip = "Held-out task that is shown"
        self.box.setToolTip(tip)
        self.box.setAccessibleName(tip)
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

    def set_num_tasks(self, num_tasks: int) -> None:
        """Offer another number of tasks."""
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
