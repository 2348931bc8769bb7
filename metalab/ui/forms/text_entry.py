"""The typing half of a field: a line of text that becomes a value."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit
from shiboken6 import isValid

from metalab.ui.forms.reading import exact_text, read, short_text

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldInfo


def is_undo_or_redo(event: QEvent) -> bool:
    """Return whether a key event asks for undo or redo."""
    return isinstance(event, QKeyEvent) and (
        event.matches(QKeySequence.StandardKey.Undo)
        or event.matches(QKeySequence.StandardKey.Redo)
    )


class TextEntry(QObject):
    """Gives a `QLineEdit` a value, and reports what is typed as one.

    While the field has the focus it shows the value exactly; otherwise it shows a
    shorter text. What is typed is kept, readable or not.

    Attributes:
        value_edited: A value or `Unread` that a person entered and that differs from
            the one shown before.
        typing_changed: A key changed the text; the value follows with `commit`.
    """

    value_edited = Signal(object)
    typing_changed = Signal()

    def __init__(self, line: QLineEdit, info: "FieldInfo") -> None:
        """Take over the line.

        Args:
            line: Where to type.
            info: The setting: its type, and its word for 0.
        """
        super().__init__(line)
        self._line = line
        self._type = info.value_type
        self._spec = info.spec
        self._value: Any = None
        self._typed = False
        self._focused = False
        line.textEdited.connect(self._on_text_edited)

    @property
    def value(self) -> Any:
        """The value as last shown or committed; may be `Unread`."""
        return self._value

    @property
    def word(self) -> str:
        """The word that stands in the line for 0, as long as nothing is typed; else ""."""
        return "" if self._typed else self._spec.word_for(self._value)

    def show_value(self, value: Any) -> None:
        """Show a value, unless it is the one already there, perhaps half typed."""
        if type(value) is not type(self._value) or value != self._value:
            self._typed = False
            self._value = value
            self._rewrite()

    def commit(self) -> None:
        """Report what has been typed, and leave the text as it is."""
        if not self._typed:
            return
        self._typed = False
        value = read(self._line.text(), self._type, self._spec)
        if value != self._value:
            self._value = value
            self.value_edited.emit(value)

    def discard(self) -> None:
        """Forget what has been typed since the last commit."""
        self._typed = False
        self._rewrite()

    def finish(self) -> None:
        """Report what has been typed, and write it in the usual form."""
        # A window that is destroyed while it is open takes the focus from its fields
        # last, when their parts have gone.
        if isValid(self._line):
            self.commit()
            self._rewrite()

    def follow_focus(self, event: QFocusEvent) -> None:
        """Write the value exactly while the field has the focus, shortly otherwise.

        The field calls it from its focus events.
        """
        if event.gotFocus():
            self._focused = True
            self._rewrite()
        elif event.reason() != Qt.FocusReason.PopupFocusReason:
            self._focused = False
            self.finish()

    def _rewrite(self) -> None:
        usual = exact_text if self._focused else short_text
        text = self._spec.word_for(self._value) or usual(self._value)
        if text != self._line.text():
            self._line.setText(text)
            if not self._focused:
                self._line.setCursorPosition(0)

    def _on_text_edited(self) -> None:
        self._typed = True
        self.typing_changed.emit()


class UnitLabel(QLabel):
    """A unit at the end of a line, out of the way of the text."""

    def __init__(self, unit: str, line: QLineEdit) -> None:
        super().__init__("" if unit == "1" else unit, line)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setForegroundRole(QPalette.ColorRole.WindowText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 4, 0)
        layout.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        layout.addStretch(1)
        layout.addWidget(self)
        line.setTextMargins(0, 0, self.sizeHint().width() + 6 if self.text() else 0, 0)

    def set_colour(self, colour: QColor) -> None:
        """Draw the unit in a colour."""
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self.setPalette(palette)
