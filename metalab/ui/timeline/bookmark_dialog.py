"""A dialog for a bookmark's note."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.record.bookmarks import LONGEST_NOTE

_MARGIN = 16
_WIDTH_IN_LETTERS = 56


class BookmarkDialog(QDialog):
    """One line for a note, which has the focus. Goes when it is closed.

    The bookmark is there already: Enter keeps the note, Escape leaves all as it was.

    Attributes:
        note_written: The outer step, and what to say of it.
        removed: The outer step, which is not to be marked any more.
        note: The line.
        remove: Takes the bookmark away.
    """

    note_written = Signal(int, str)
    removed = Signal(int)

    def __init__(self, step: int, note: str, parent: QWidget | None = None) -> None:
        """Make the dialog; `open` shows it.

        Args:
            step: The outer step that is marked.
            note: What is said of it already.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._step = step
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Bookmark")
        label = QLabel(
            "&Note at outer step {} (may stay empty):".format(f"{step:,}"),
            self,
        )
        self.note = QLineEdit(note, self)
        self.note.setMaxLength(LONGEST_NOTE)
        self.note.setMinimumWidth(
            _WIDTH_IN_LETTERS * self.fontMetrics().averageCharWidth()
        )
        label.setBuddy(self.note)
        self.remove = QPushButton("&Remove bookmark", self)
        self.remove.setAutoDefault(False)
        keep = QPushButton("&Keep", self)
        keep.setDefault(True)
        box = QDialogButtonBox(self)
        box.addButton(self.remove, QDialogButtonBox.ButtonRole.DestructiveRole)
        box.addButton(keep, QDialogButtonBox.ButtonRole.AcceptRole)
        box.accepted.connect(self._on_accepted)
        self.remove.clicked.connect(self._on_removed)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        for part in (label, self.note, box):
            column.addWidget(part)
        self.note.selectAll()
        self.note.setFocus()

    def _on_accepted(self) -> None:
        self.note_written.emit(self._step, self.note.text())
        self.accept()

    def _on_removed(self) -> None:
        self.removed.emit(self._step)
        self.reject()
