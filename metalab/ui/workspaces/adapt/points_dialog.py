"""A small dialog in which the points of a support set are typed."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.engine.events import Array

_SIZE = (340, 380)
_MARGIN = 14


class PointsDialog(QDialog):
    """Two numbers a line; says at once how they are understood, or what is wrong.

    Attributes:
        typed: The text, once a person has accepted it.
    """

    typed = Signal(str)

    def __init__(
        self,
        x: Array,
        y: Array,
        understood: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        """Begin with some points.

        Args:
            x: [point].
            y: [point].
            understood: Returns how a text is understood; raises a ValueError that says
                what is wrong with it.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle("Type the support set")
        self._understood = understood
        hint = QLabel("One point a line: x, y", self)
        self.text = QPlainTextEdit(self)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Points, one a line: x, y")
        self.text.setTabChangesFocus(True)
        rows = zip(x.tolist(), y.tolist(), strict=True)
        self.text.setPlainText("\n".join(f"{one:.6g}, {two:.6g}" for one, two in rows))
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        box = QDialogButtonBox(self)
        self.use = QPushButton("&Use these points", self)
        self.use.setDefault(True)
        box.addButton(self.use, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(8)
        for part in (hint, self.text, self.words, box):
            layout.addWidget(part)
        layout.setStretchFactor(self.text, 1)
        self.resize(*_SIZE)
        box.accepted.connect(self._on_accepted)
        box.rejected.connect(self.reject)
        self.text.textChanged.connect(self._read)
        self._read()

    def _read(self) -> None:
        try:
            words, good = (
                f"Understood: {self._understood(self.text.toPlainText())}",
                True,
            )
        except ValueError as error:
            words, good = str(error), False
        self.words.setText(words)
        self.use.setEnabled(good)

    def _on_accepted(self) -> None:
        self.typed.emit(self.text.toPlainText())
        self.accept()
