"""Header of the form: the name, search, differences, notes."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import ElidedButton, tint

_LONGEST_NAME = 80
"""Characters, as in `ExperimentConfig.name`."""


class SearchField(QLineEdit):
    """A line that Escape clears."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("Search settings")
        self.setAccessibleName("Search settings")
        self.setClearButtonEnabled(True)
        self.setObjectName("search")

    def event(self, event: QEvent) -> bool:
        """Keep Escape from the window's shortcuts while there is text to clear."""
        if event.type() == QEvent.Type.ShortcutOverride and self._clears(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear on Escape."""
        if self._clears(event):
            self.clear()
        else:
            super().keyPressEvent(event)

    def _clears(self, event: QEvent) -> bool:
        return (
            isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and bool(self.text())
        )


class NameField(QLineEdit):
    """The name of the experiment: a person's own, or pale the one derived from settings.

    Attributes:
        name_edited: The name that a person has entered; "" for the derived one.
    """

    name_edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own = ""
        self.setObjectName("experiment name")
        self.setAccessibleName("Name of the experiment")
        self.setMaxLength(_LONGEST_NAME)
        self.setToolTip(
            "Name of the experiment. Left empty, it follows the settings: the preset "
            "and what differs from it."
        )
        self.editingFinished.connect(self._on_editing_finished)

    def show_name(self, own: str, derived: str) -> None:
        """Show the name that a person has given, and what it would be without."""
        self._own = own
        if not self.isModified():
            self.setText(own)
        self.setPlaceholderText(derived or self.placeholderText())

    def event(self, event: QEvent) -> bool:
        """Keep Escape from the window's shortcuts while there is typing to take back."""
        if event.type() == QEvent.Type.ShortcutOverride and self._reverts(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take back what was typed on Escape."""
        if self._reverts(event):
            self.setText(self._own)
        else:
            super().keyPressEvent(event)

    def _reverts(self, event: QEvent) -> bool:
        return (
            isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self.isModified()
        )

    def _on_editing_finished(self) -> None:
        name = self.text().strip()
        self.setModified(False)
        # Who enters the derived name wants no other one.
        if name == self.placeholderText():
            name = ""
        self.setText(name)
        if name != self._own:
            self.name_edited.emit(name)


class FormHeader(QWidget):
    """Name, search, how far the experiment is from its preset, and what concerns all of it.

    Attributes:
        name: The name of the experiment.
        name_edited: The name that a person has entered; "" for the derived one.
        differences_requested: A person would see what differs.
        search_changed: Text of the search.
        search_submitted: Return was pressed in the search.
        reset_all_requested: Take the preset's values everywhere.
    """

    name_edited = Signal(str)
    differences_requested = Signal()
    search_changed = Signal(str)
    search_submitted = Signal()
    reset_all_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = NameField(self)
        self.search = SearchField(self)
        self._summary = ElidedButton(self)
        self._reset_all = QToolButton(self)
        self._note = QLabel(
            "Learning rates change at once; the rest, in a new run", self
        )
        self._problems = QLabel(self)
        self._arrange()
        self.name.name_edited.connect(self.name_edited)
        self._summary.clicked.connect(self.differences_requested)
        self.search.textChanged.connect(self.search_changed)
        self.search.returnPressed.connect(self.search_submitted)
        self._reset_all.clicked.connect(self.reset_all_requested)
        follow_theme(self._take_theme)

    @property
    def summary(self) -> str:
        """How many fields differ, in words."""
        return self._summary.accessibleName()

    @property
    def differences_button(self) -> ElidedButton:
        """Says how many fields differ, and shows which when it is clicked."""
        return self._summary

    def show_name(self, own: str, derived: str) -> None:
        """Show what a person calls the experiment, and what it would be called else."""
        self.name.show_name(own, derived)

    @property
    def reset_all_button(self) -> QToolButton:
        """Takes the preset's values everywhere; hidden while nothing differs."""
        return self._reset_all

    @property
    def note(self) -> str:
        """The note about the run in progress; "" if none is shown."""
        return "" if self._note.isHidden() else self._note.text()

    @property
    def problems(self) -> str:
        """What is wrong with the experiment as a whole; "" if nothing."""
        return self._problems.text()

    def _take_theme(self, theme: Theme) -> None:
        self._summary.set_colour(theme.muted)
        tint(self._note, theme.accent)
        tint(self._problems, theme.error)

    def set_locked(self, *, locked: bool) -> None:
        """Show or hide the note about the run in progress."""
        self._note.setVisible(locked)

    def show_differences(self, count: int, preset: str) -> None:
        """Say how many fields differ from a preset."""
        if count == 0:
            text = "Same as {preset}"
        elif count == 1:
            text = "1 field differs from {preset}"
        else:
            text = "{count} fields differ from {preset}"
        self._summary.set_full_text(text.format(count=count, preset=preset))
        self._summary.setToolTip(
            f"List what differs from {preset}, or from another experiment"
        )
        self._reset_all.setVisible(count > 0)
        self._reset_all.setToolTip(f"Take every value from {preset}")

    def show_problems(self, messages: list[str]) -> None:
        """Say what is wrong with the experiment as a whole."""
        self._problems.setText("\n".join(messages))
        self._problems.setVisible(bool(messages))

    def _arrange(self) -> None:
        self._reset_all.setText("Reset all")
        self._reset_all.setAutoRaise(True)
        self._reset_all.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._reset_all.setObjectName("reset all")
        policy = self._reset_all.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset_all.setSizePolicy(policy)
        for label in (self._note, self._problems):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.hide()
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self._summary, 1)
        line.addWidget(self._reset_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.name)
        layout.addLayout(line)
        layout.addWidget(self.search)
        layout.addWidget(self._note)
        layout.addWidget(self._problems)
