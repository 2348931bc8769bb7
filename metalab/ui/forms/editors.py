"""The widgets that edit one setting. Which one a setting gets depends on its type."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QStyle, QWidget

from metalab.ui.forms.number_box import NumberBox
from metalab.ui.forms.text_entry import TextEntry, UnitLabel, is_undo_or_redo

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldInfo

_INDENT = 2
"""Aligns a line's text with that of the boxes above and below it."""


class TextField(QLineEdit):
    """A line for a word, or for whole numbers with commas between.

    Attributes:
        value_edited: A value or `Unread` that a person entered.
        typing_changed: A key changed the text.
    """

    value_edited = Signal(object)
    typing_changed = Signal()

    def __init__(self, info: "FieldInfo", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry = TextEntry(self, info)
        self._unit = UnitLabel(info.spec.unit, self)
        margins = self.textMargins()
        margins.setLeft(_INDENT)
        self.setTextMargins(margins)
        self._entry.value_edited.connect(self.value_edited)
        self._entry.typing_changed.connect(self.typing_changed)
        self.editingFinished.connect(self._entry.finish)
        self.show_value(info.value)

    @property
    def value(self) -> Any:
        """The value, or `Unread`."""
        return self._entry.value

    def show_value(self, value: Any) -> None:
        """Show a value or `Unread`."""
        self._entry.show_value(value)

    def commit(self) -> None:
        """Report what has been typed."""
        self._entry.commit()

    def discard(self) -> None:
        """Forget what has been typed and not reported."""
        self._entry.discard()

    def set_muted(self, colour: QColor) -> None:
        """Draw the unit in a colour."""
        self._unit.set_colour(colour)

    def minimumSizeHint(self) -> QSize:
        """Return the size of an ordinary line; the unit adds nothing to its height."""
        return QSize(super().minimumSizeHint().width(), super().sizeHint().height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the value exactly."""
        self._entry.follow_focus(event)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take in what has been typed, and show it shortly."""
        super().focusOutEvent(event)
        self._entry.follow_focus(event)

    def event(self, event: QEvent) -> bool:
        """Leave undo to the form, which undoes edits of fields, not keystrokes."""
        if event.type() == QEvent.Type.ShortcutOverride and is_undo_or_redo(event):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave undo to the form."""
        if is_undo_or_redo(event):
            event.ignore()
        else:
            super().keyPressEvent(event)


class ChoiceBox(QComboBox):
    """A list of words to choose from.

    Attributes:
        value_edited: The word that a person chose.
        typing_changed: Never emitted; there is nothing to type.
    """

    value_edited = Signal(object)
    typing_changed = Signal()

    def __init__(self, info: "FieldInfo", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for word, title in info.choices:
            self.addItem(title, word)
        self._value: Any = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.activated.connect(self._on_activated)
        self.show_value(info.value)

    @property
    def value(self) -> Any:
        """The chosen word."""
        return self._value

    def show_value(self, value: Any) -> None:
        """Show a word as chosen."""
        self._value = value
        self.setCurrentIndex(self.findData(value))

    def commit(self) -> None:
        """Do nothing: a choice is reported when it is made."""

    def discard(self) -> None:
        """Do nothing: a choice is reported when it is made."""

    def set_muted(self, colour: QColor) -> None:
        """Do nothing: a word has no unit."""

    def showPopup(self) -> None:
        """Open the list wide enough for its longest title."""
        view = self.view()
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        view.setMinimumWidth(view.sizeHintForColumn(0) + bar)
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change only with the focus: scrolling the form must not change it."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _on_activated(self, index: int) -> None:
        word = self.itemData(index)
        if word != self._value:
            self._value = word
            self.value_edited.emit(word)


Editor = NumberBox | TextField | ChoiceBox


def editor_for(info: "FieldInfo", parent: QWidget | None = None) -> Editor:
    """Return the widget that edits a setting."""
    if info.choices:
        return ChoiceBox(info, parent)
    if info.value_type in (int, float):
        return NumberBox(info, parent)
    return TextField(info, parent)
