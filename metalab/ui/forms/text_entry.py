"""The typing half of a field: a line of text that becomes a value."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from metalab.ui.forms.reading import exact_text, read, short_text


def is_undo_or_redo(event: QEvent) -> bool:
    """Return whether a key event asks for undo or redo."""
    return isinstance(event, QKeyEvent) and (
        event.matches(QKeySequence.StandardKey.Undo)
        or event.matches(QKeySequence.StandardKey.Redo)
    )


class TextEntry(QObject):
    """Gives a `QLineEdit` a value, and reports what is typed as one.

    While the field has the focus it shows the value exactly; otherwise it shows a
    shorter text. What is typed is kept, readable or not. Undo is left to the form, which
    undoes edits of fields, not keystrokes.

    Attributes:
        value_edited: A value or `Unread` that a person entered and that differs from
            the one shown before.
        typing_changed: A key changed the text; the value follows with `commit`.
    """

    value_edited = Signal(object)
    typing_changed = Signal()

    def __init__(self, field: QWidget, line: QLineEdit, value_type: type) -> None:
        """Take over the line.

        Args:
            field: The widget that has the focus while the line is edited; the line
                itself, or the box around it.
            line: Where to type.
            value_type: int, float, str or tuple (of int).
        """
        super().__init__(field)
        self._line = line
        self._type = value_type
        self._value: Any = None
        self._typed = False
        self._focused = False
        line.textEdited.connect(self._on_text_edited)
        line.editingFinished.connect(self.finish)
        field.installEventFilter(self)

    @property
    def value(self) -> Any:
        """The value as last shown or committed; may be `Unread`."""
        return self._value

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
        value = read(self._line.text(), self._type)
        if value != self._value:
            self._value = value
            self.value_edited.emit(value)

    def finish(self) -> None:
        """Report what has been typed, and write it in the usual form."""
        self.commit()
        self._rewrite()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the focus of the field, and pass undo on to the form."""
        kind = event.type()
        if kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            if is_undo_or_redo(event):
                event.ignore()
                return True
        elif kind == QEvent.Type.FocusIn:
            self._focused = True
            self._rewrite()
        elif kind == QEvent.Type.FocusOut and not _only_a_menu(event):
            self._focused = False
            self.finish()
        return super().eventFilter(watched, event)

    def _rewrite(self) -> None:
        text = (exact_text if self._focused else short_text)(self._value)
        if text != self._line.text():
            self._line.setText(text)
            if not self._focused:
                self._line.setCursorPosition(0)

    def _on_text_edited(self) -> None:
        self._typed = True
        self.typing_changed.emit()


def _only_a_menu(event: QEvent) -> bool:
    return (
        isinstance(event, QFocusEvent)
        and event.reason() == Qt.FocusReason.PopupFocusReason
    )


class UnitLabel(QLabel):
    """A unit at the end of a line, out of the way of the text."""

    def __init__(self, unit: str, line: QLineEdit) -> None:
        super().__init__("" if unit == "1" else unit, line)
        self.setTextFormat(Qt.TextFormat.PlainText)
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
