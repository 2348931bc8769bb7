"""A box for a number."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QSizePolicy,
    QStyle,
    QStyleOptionSpinBox,
    QWidget,
)

from metalab.ui.forms.reading import Unread
from metalab.ui.forms.stepping import stepped
from metalab.ui.forms.text_entry import TextEntry, UnitLabel, is_undo_or_redo

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldInfo

_SHORTEST = "00,000"
"""A box is never too narrow for this number and the unit."""

_PAGE = 10
"""Steps of Page Up, as Qt counts them."""


class NumberBox(QAbstractSpinBox):
    """A box for an int or a float of any size.

    Qt's own boxes clamp what is typed, round, and stop at 32 bits. This one keeps what is
    typed, shows a float as it is, and steps by an amount that suits the number: by a
    factor of the root of ten where the setting is on a log scale.

    Attributes:
        value_edited: A number or `Unread` that a person entered.
        typing_changed: A key changed the text.
    """

    value_edited = Signal(object)
    typing_changed = Signal()

    def __init__(self, info: "FieldInfo", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = info.spec
        self._whole = info.value_type is int
        self._number: float = info.value
        self._entry = TextEntry(self.lineEdit(), info)
        self._unit = UnitLabel(info.spec.unit, self.lineEdit())
        self._entry.value_edited.connect(self._on_value_edited)
        self._entry.typing_changed.connect(self.typing_changed)
        # Return ends in the box; the line inside it never hears of it.
        self.editingFinished.connect(self._entry.finish)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_value(info.value)

    @property
    def value(self) -> Any:
        """The number, or `Unread`."""
        return self._entry.value

    def show_value(self, value: Any) -> None:
        """Show a number or `Unread`."""
        if not isinstance(value, Unread):
            self._number = value
        self._entry.show_value(value)
        self._refresh()

    def commit(self) -> None:
        """Report what has been typed."""
        self._entry.commit()

    def discard(self) -> None:
        """Forget what has been typed and not reported."""
        self._entry.discard()

    def set_muted(self, colour: QColor) -> None:
        """Draw the unit in a colour."""
        self._unit.set_colour(colour)

    def stepBy(self, steps: int) -> None:
        """Step, report the new number and select it.

        A page, which Qt counts as ten steps, is a factor of ten on a log scale.
        """
        self.commit()
        if self._spec.log and abs(steps) >= _PAGE:
            steps = 2 if steps > 0 else -2
        value = self._stepped(steps)
        if value != self.value:
            self.show_value(value)
            self.value_edited.emit(value)
        self.lineEdit().selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Return the directions that a step can go."""
        allowed = QAbstractSpinBox.StepEnabledFlag.StepNone
        if self._stepped(1) != self.value:
            allowed |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if self._stepped(-1) != self.value:
            allowed |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return allowed

    def validate(self, text: str, position: int) -> object:
        """Let every text in; the experiment says what is wrong with it."""
        return QValidator.State.Acceptable, text, position

    def sizeHint(self) -> QSize:
        """Return the smallest size; the form decides the width."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the size for a short number and the arrows."""
        option = QStyleOptionSpinBox()
        self.initStyleOption(option)
        line = self.lineEdit()
        width = self.fontMetrics().horizontalAdvance(_SHORTEST)
        content = QSize(
            width + line.textMargins().right(), line.minimumSizeHint().height()
        )
        return self.style().sizeFromContents(
            QStyle.ContentsType.CT_SpinBox, option, content, self
        )

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the number exactly."""
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
        """Leave undo to the form; what is typed replaces a word such as "off"."""
        if is_undo_or_redo(event):
            event.ignore()
        else:
            if self._entry.word and _changes_text(event):
                self.lineEdit().selectAll()
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step only with the focus: scrolling the form must not change it."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _stepped(self, steps: int) -> float:
        return stepped(self._number, steps, self._spec, whole=self._whole)

    def _on_value_edited(self, value: object) -> None:
        if isinstance(value, int | float):
            self._number = value
        self._refresh()
        self.value_edited.emit(value)

    def _refresh(self) -> None:
        """Enable the arrows anew; a word such as "off" has no unit."""
        self._unit.setHidden(bool(self._spec.word_for(self.value)))
        self.update()


def _changes_text(event: QKeyEvent) -> bool:
    """Return whether a key writes or deletes a letter."""
    deletes = event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
    return deletes or (event.text().isprintable() and bool(event.text()))
