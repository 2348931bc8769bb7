"""The status bar: where the run stands, at a glance."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from metalab.ui.session.phase import Phase
from metalab.ui.shell.status_text import StatusTexts, status_texts
from metalab.ui.style.icons import icon
from metalab.ui.style.theme import DARK, Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.status import RunStatus

TEXT_SECONDS = 0.2
"""Numbers that change faster cannot be read."""

SAID_MS = 2500
"""Milliseconds for which it is said what has been done."""

_LINE_HEIGHT = 3


class StatePill(QWidget):
    """The state in words, on its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._colour = QColor()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_state(self, text: str, colour: str) -> None:
        """Show a state in a colour of the theme."""
        if (text, colour) != (self._text, self._colour.name()):
            self._text, self._colour = text, QColor(colour)
            self.setAccessibleName(f"State: {text}")
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size for the longest state, so that nothing beside it moves."""
        metrics = self.fontMetrics()
        longest = max(
            metrics.horizontalAdvance(text)
            for text in (
                "Finished",
                "Running",
                "Stopped",
                "Compiling",
            )
        )
        return QSize(longest + 2 * metrics.height() + 4, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw a dot and the text on a tinted pill."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        tint = QColor(self._colour)
        tint.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        size = area.height() * 0.36
        left = area.left() + area.height() * 0.45
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(left, area.center().y() - size / 2, size, size))
        painter.setPen(self.palette().windowText().color())
        words = area.adjusted(left + size + 6 - area.left(), 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()


class ProgressLine(QWidget):
    """A thin line as long as the share of the work that is done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self._colours = (QColor(DARK.border), QColor(DARK.accent))
        self.setFixedHeight(_LINE_HEIGHT)

    def show_share(self, share: float, *, track: str, line: str) -> None:
        """Show a share from 0 to 1 in colours of the theme."""
        colours = (QColor(track), QColor(line))
        # Less than a pixel is not worth a repaint.
        moved = round(share * self.width()) != round(self._share * self.width())
        if moved or colours != self._colours:
            self._share, self._colours = share, colours
            self.setAccessibleName(f"Progress: {share:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Draw the track and the line."""
        painter = QPainter(self)
        track, line = self._colours
        painter.fillRect(self.rect(), track)
        done = QRectF(self.rect())
        done.setWidth(self.width() * self._share)
        painter.fillRect(done, line)
        painter.end()


class RunStatusBar(QStatusBar):
    """State, progress, speed, evaluation, device, safety, problems.

    Attributes:
        problems_clicked: The number of problems was clicked.
    """

    problems_clicked = Signal()

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._shown_at = -TEXT_SECONDS
        self._state: tuple[Phase, RunStatus | None] | None = None
        self._num_problems = 0
        self._brief = False
        self._texts = StatusTexts(state="", tone="muted")
        self._line = ProgressLine(self)
        self._pill = StatePill(self)
        self._labels = {name: QLabel(self) for name in _TOOLTIPS}
        self._panel = QWidget(self)
        self._said = QLabel(self)
        self._said.setToolTip("What has just been done")
        self._said.hide()
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(SAID_MS)
        self._silence.timeout.connect(self._said.hide)
        self._problems = QToolButton(self)
        self._problems.setAutoRaise(True)
        self._problems.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._problems.clicked.connect(self.problems_clicked)
        self._lay_out()
        self.show_problems(0)
        follow_theme(self._take_theme)

    def _lay_out(self) -> None:
        self.setSizeGripEnabled(False)
        row = QHBoxLayout(self._panel)
        row.setContentsMargins(8, _LINE_HEIGHT + 1, 8, 1)
        row.setSpacing(18)
        row.addWidget(self._pill)
        for name, label in self._labels.items():
            label.setToolTip(_TOOLTIPS[name])
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            if name == "saved":
                row.addStretch(1)
            row.addWidget(label)
        row.addWidget(self._said)
        row.addWidget(self._problems)
        self.addWidget(self._panel, 1)
        self._line.raise_()
        self._fit()

    def _fit(self) -> None:
        """Take the size of the font: one height, whether or not there are problems."""
        height = self._problems.sizeHint().height() + _LINE_HEIGHT + 2
        self._panel.setFixedHeight(height)
        for label in self._labels.values():
            label.setMinimumWidth(0)

    def changeEvent(self, event: QEvent) -> None:
        """Fit to another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    @property
    def said(self) -> str:
        """Words that are shown just now; "" if none."""
        return "" if self._said.isHidden() else self._said.text()

    def say(self, text: str) -> None:
        """Say for a moment what has been done."""
        self._said.setText(text)
        self._said.setAccessibleName(text)
        self._said.show()
        self._silence.start()

    def set_brief(self, *, brief: bool) -> None:
        """Show no more than an audience wants to know, or all of it again."""
        self._brief = brief
        self._show(self._texts)

    def _take_theme(self, _: Theme) -> None:
        self._show(self._texts)
        self.show_problems(self._num_problems)

    def show_history(self, phase: Phase, history: "RunHistory | None") -> None:
        """Show where a run stands; numbers change only a few times a second."""
        state = (phase, None if history is None else history.status)
        if state == self._state and self._now() - self._shown_at < TEXT_SECONDS:
            return
        self._state = state
        self._show(status_texts(phase, history))

    def _show(self, texts: StatusTexts) -> None:
        self._shown_at = self._now()
        if texts.state != self._texts.state:
            for label in self._labels.values():
                label.setMinimumWidth(0)
        self._texts = texts
        theme = current_theme()
        self._pill.show_state(texts.state, getattr(theme, texts.tone))
        for name, label in self._labels.items():
            text: str = getattr(texts, name)
            label.setVisible(bool(text) and (name in _BRIEF or not self._brief))
            if name == "device":
                base = _TOOLTIPS[name]
                label.setToolTip(plain_tip(f"{base}\n{texts.provider}".rstrip()))
            if text != label.text():
                label.setText(text)
                # Grows only, lest a digit less moves all that follows.
                label.setMinimumWidth(
                    max(label.minimumWidth(), label.sizeHint().width())
                )
        self._line.show_share(
            texts.share,
            track=theme.border,
            line=getattr(theme, texts.tone),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the line span the bar, margins included."""
        super().resizeEvent(event)
        self._line.setGeometry(0, 0, self.width(), _LINE_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw nothing: Qt would draw a frame around what the bar holds."""

    def show_problems(self, count: int) -> None:
        """Show how many different problems there are; nothing if none."""
        self._num_problems = count
        self._problems.setVisible(count > 0)
        self._problems.setIcon(icon("warning", current_theme().warning))
        text = "1 problem" if count == 1 else "{} problems"
        self._problems.setText(text.format(count))
        self._problems.setToolTip("Show the list of errors")


_TOOLTIPS = {
    "steps": "Outer steps made, of how many",
    "rate": "Outer steps a second, over the last two seconds of training",
    "remaining": "Time to the last outer step at this rate, or training time so far",
    "evaluation": "Mean query loss of the held-out tasks after K inner steps, and the "
    "lowest so far",
    "saved": "Outer step up to which the run is safe in its file",
    "device": "What the run is computed on",
}
"""What each text of `StatusTexts` means, in the order of the bar."""

_BRIEF = ("steps", "evaluation")
