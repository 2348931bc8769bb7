"""The left dock: the form, and what stands there until the engine has been imported."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QStackedWidget, QWidget

from metalab.ui.style.theming import current_theme

if TYPE_CHECKING:
    from metalab.ui.forms.experiment_form import ExperimentForm

WIDTH = 300
_GROUPS = (3, 4, 3, 4)
"""Rows of each group in the outline of the form."""


class Skeleton(QWidget):
    """The outline of a form, and what it waits for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""

    def show_text(self, text: str) -> None:
        """Say what is being waited for."""
        self._text = text
        self.setAccessibleName(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw the text, and bars where labels and fields will be."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(QColor(theme.muted))
        margin, line = 14, self.fontMetrics().height()
        width = self.width() - 2 * margin
        words = QRectF(margin, margin, width, 4 * line)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(words, int(flags), self._text)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.raised))
        top = margin + 2.5 * line
        for rows in _GROUPS:
            painter.drawRoundedRect(QRectF(margin, top, width * 0.3, 10), 4, 4)
            top += 26
            for row in range(rows):
                label = width * (0.26 + 0.05 * (row % 3))
                painter.drawRoundedRect(QRectF(margin, top + 6, label, 8), 4, 4)
                field = QRectF(margin + width * 0.48, top, width * 0.52, 20)
                painter.drawRoundedRect(field, 4, 4)
                top += 29
            top += 12
        painter.end()


class ExperimentDock(QDockWidget):
    """Holds the skeleton, then the form."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Experiment")
        self.setObjectName("experiment")
        self._form: ExperimentForm | None = None
        self._folds: Mapping[str, bool] = {}
        self._skeleton = Skeleton(self)
        self._pages = QStackedWidget(self)
        self._pages.setMinimumWidth(WIDTH - 40)
        self._pages.addWidget(self._skeleton)
        self.setWidget(self._pages)

    @property
    def form(self) -> "ExperimentForm | None":
        """The form, once there is one."""
        return self._form

    @property
    def skeleton(self) -> Skeleton:
        """What stands there until then."""
        return self._skeleton

    @property
    def folds(self) -> Mapping[str, bool]:
        """Parts of the form that a person has opened or closed."""
        return self._folds if self._form is None else self._form.folds

    def set_folds(self, folds: Mapping[str, bool]) -> None:
        """Have the form begin with parts open and closed as they were left."""
        self._folds = folds

    def show_form(self, form: "ExperimentForm") -> None:
        """Put the form in place of the skeleton."""
        self._form = form
        # Its rows know what they need.
        self._pages.setMinimumWidth(0)
        form.set_folds(self._folds)
        self._pages.addWidget(form)
        self._pages.setCurrentWidget(form)
