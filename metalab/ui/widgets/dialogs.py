"""Small dialogs: about, and whether something may end."""

import platform
from dataclasses import dataclass
from importlib.metadata import version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import metalab
from metalab.runs.system.home import runs_folder
from metalab.ui.style.icons import app_icon

_LOGO = 64
_MARGIN = 18


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    return label


def _close_box(dialog: QDialog) -> QDialogButtonBox:
    box = QDialogButtonBox(dialog)
    # With a text of our own it has no icon of the desktop's, which fits no theme.
    box.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    box.rejected.connect(dialog.reject)
    return box


class AboutDialog(QDialog):
    """Versions, and where runs are kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About metalab")
        logo = QLabel(self)
        logo.setPixmap(app_icon().pixmap(_LOGO, _LOGO))
        title = _heading(f"metalab {metalab.__version__}")
        lines = (
            "A visual laboratory for bilevel optimisation in meta-learning.",
            "",
            f"Runs are kept in {runs_folder()}",
            f"Python {platform.python_version()}, Qt {qVersion()}, "
            f"torch {version('torch')}",
        )
        text = QLabel("\n".join(lines), self)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        grid.setHorizontalSpacing(_MARGIN)
        grid.addWidget(logo, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(title, 0, 1)
        grid.addWidget(text, 1, 1)
        grid.addWidget(_close_box(self), 2, 0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Words of a question before something ends.

    Attributes:
        title: What is at stake, in a few words.
        text: What would become of it, in a sentence or two.
        accept: On the button that lets it end.
        remembers: Whether a person can choose not to be asked again, for nothing is
            lost.
    """

    title: str
    text: str
    accept: str
    remembers: bool = True


class LeaveDialog(QDialog):
    """Asks whether something may end; training goes on meanwhile."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(question.title)
        text = QLabel(question.text, self)
        # Names come with run files: no markup.
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self._remember = QCheckBox("&Do not ask again", self)
        self._remember.setVisible(question.remembers)
        box = QDialogButtonBox(self)
        stop = QPushButton(question.accept, self)
        cancel = QPushButton("Cancel", self)
        # Enter loses nothing.
        (stop if question.remembers else cancel).setDefault(True)
        box.addButton(stop, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_MARGIN)
        layout.addWidget(text)
        layout.addWidget(self._remember)
        layout.addWidget(box)
        self.setMinimumWidth(380)

    @property
    def remember(self) -> bool:
        """Whether not to ask again."""
        return self._remember.isChecked()
