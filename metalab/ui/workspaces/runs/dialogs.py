"""Dialogs of the Runs page: tags and a note of one run or of several."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.library.entry import RunEntry
from metalab.runs.library.labels import (
    LONGEST_NOTE,
    LabelChange,
    LabelError,
    checked_note,
    checked_tags,
)
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme

_WIDTH = 420


class _LabelDialog(QDialog):
    """A field with a word above it and an error below it; OK is off while it is wrong.

    Attributes:
        chosen: The `LabelChange` that a person wants.
    """

    chosen = Signal(object)

    def __init__(self, title: str, intro: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH)
        self._intro = QLabel(intro, self)
        self._intro.setWordWrap(True)
        self._intro.setTextFormat(Qt.TextFormat.PlainText)
        self.error = QLabel(self)
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.hide()
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        follow_theme(self._take_theme)

    def _place(self, field: QWidget) -> None:
        layout = QVBoxLayout(self)
        for part in (self._intro, field, self.error, self.buttons):
            layout.addWidget(part)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.error, theme.error, QPalette.ColorRole.WindowText)

    def _show_error(self, text: str) -> None:
        self.error.setText(text)
        self.error.setVisible(bool(text))
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(not text)


def _called(entries: Sequence[RunEntry]) -> str:
    return entries[0].name if len(entries) == 1 else f"{len(entries)} runs"


class TagDialog(_LabelDialog):
    """Asks for the tags of runs.

    Those that all of them have stand in the field: taking one out takes it away from all,
    and tags that only some have stay.
    """

    def __init__(
        self, entries: Sequence[RunEntry], known: Sequence[str], parent: QWidget
    ) -> None:
        """Make the dialog.

        Args:
            entries: The runs, one at least.
            known: Tags of the library, which are offered.
            parent: Qt's parent.
        """
        shared = set.intersection(*(set(e.labels.tags) for e in entries))
        some = {tag for e in entries for tag in e.labels.tags} - shared
        intro = f"Tags of {_called(entries)}, with spaces between."
        if some:
            intro += f" Some of them also have: {', '.join(sorted(some))}."
        super().__init__("Tags", intro, parent)
        self._shared = shared
        self.field = QLineEdit(" ".join(sorted(shared)), self)
        self.field.setAccessibleName("Tags")
        self.field.setPlaceholderText("thesis seed-study")
        completer = QCompleter(sorted(known), self.field)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.field.setCompleter(completer)
        self._place(self.field)
        self.field.textChanged.connect(self._check)
        self.field.setFocus()

    def _tags(self) -> tuple[str, ...]:
        return checked_tags(self.field.text().replace(",", " ").split())

    def _check(self) -> None:
        try:
            self._tags()
        except LabelError as error:
            self._show_error(str(error))
        else:
            self._show_error("")

    def accept(self) -> None:
        """Tell the change, if there is any."""
        tags = set(self._tags())
        change = LabelChange(
            add_tags=tuple(sorted(tags - self._shared)),
            remove_tags=tuple(sorted(self._shared - tags)),
        )
        super().accept()
        if change != LabelChange():
            self.chosen.emit(change)


class NoteDialog(_LabelDialog):
    """Asks for the note of runs."""

    def __init__(self, entries: Sequence[RunEntry], parent: QWidget) -> None:
        """Make the dialog.

        Args:
            entries: The runs, one at least.
            parent: Qt's parent.
        """
        notes = {entry.labels.note for entry in entries}
        intro = f"Note on {_called(entries)}."
        if len(notes) > 1:
            intro += " Their notes differ: this one takes the place of all of them."
        super().__init__("Note", intro, parent)
        self._before = notes.pop() if len(notes) == 1 else ""
        self._differ = len(notes) > 0
        self.field = QPlainTextEdit(self._before, self)
        self.field.setAccessibleName("Note")
        self.field.setTabChangesFocus(True)
        self._place(self.field)
        self.field.textChanged.connect(self._check)
        self.field.setFocus()

    def _check(self) -> None:
        length = len(self.field.toPlainText())
        too_long = f"{length:,} characters; allowed: {LONGEST_NOTE:,} at most"
        self._show_error(too_long if length > LONGEST_NOTE else "")

    def accept(self) -> None:
        """Tell the change, if there is any."""
        note = checked_note(self.field.toPlainText())
        super().accept()
        if self._differ or note != self._before:
            self.chosen.emit(LabelChange(note=note))
