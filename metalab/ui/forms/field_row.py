"""One setting of the form: dot or `?`, label, editor, reset button, message."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QKeyCombination, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from metalab.ui.forms.editors import editor_for
from metalab.ui.forms.reading import exact_text
from metalab.ui.forms.sweep_menu import SweepMenu, proposed_axis
from metalab.ui.learn.popover import TermButton
from metalab.ui.learn.terms import term_of_field
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.painted import GUTTER, ResetButton, paint_dot, paint_ring, tint
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.experiment.changes import Baseline
    from metalab.experiment.fields import FieldInfo
    from metalab.ui.forms.editors import Editor


HELP_KEYS = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_F1)
"""Opens the `?` of the row that has the focus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldState:
    """What a row shows.

    Attributes:
        value: Value of the field, or `Unread`.
        baseline: What it is compared with.
        message: What is wrong with it; "" if nothing.
        reading: How it is understood, where that needs a word; else "".
        suspect: Whether a problem between fields names this one.
    """

    value: Any
    baseline: "Baseline"
    message: str = ""
    reading: str = ""
    suspect: bool = False

    @property
    def differs(self) -> bool:
        """Whether the value is not the baseline's."""
        return self.value != self.baseline.value

    @property
    def wrong(self) -> bool:
        """Whether the field is outlined as wrong."""
        return self.suspect or bool(self.message)


class FieldRow(QWidget):
    """A row of the form.

    Attributes:
        value_edited: Path, and a value or `Unread` that a person entered.
        typing_changed: Path; a key changed the text, the value follows.
        reset_requested: Path.
        see_requested: Name of the workspace that shows what the setting is about.
        sweep_requested: Path, and values to begin with.
    """

    value_edited = Signal(str, object)
    typing_changed = Signal(str)
    reset_requested = Signal(str)
    see_requested = Signal(str)
    sweep_requested = Signal(str, str)

    def __init__(
        self, info: "FieldInfo", *, titled: bool, parent: QWidget | None = None
    ) -> None:
        """Build the row.

        Args:
            info: The setting.
            titled: Whether the header above already says the label, so that the editor
                takes the whole width.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self.info = info
        self._titled = titled
        self._state: FieldState | None = None
        self._words = _searched_text(info)
        self._label = QLabel(info.spec.label.replace("&", "&&"), self)
        self._editor = editor_for(info, self)
        self._reset = ResetButton(self)
        self._message = QLabel(self)
        self._help = self._help_button()
        self._arrange()
        self._describe()
        self._editor.value_edited.connect(self._on_value_edited)
        self._editor.typing_changed.connect(self._on_typing_changed)
        self._reset.clicked.connect(self._on_reset_clicked)
        SweepMenu(self, self._editor).chosen.connect(self._on_sweep_chosen)
        follow_theme(self._take_theme)

    @property
    def editor(self) -> "Editor":
        """The widget that edits the setting."""
        return self._editor

    @property
    def reset_button(self) -> ResetButton:
        """The button that takes the baseline's value; hidden while nothing differs."""
        return self._reset

    @property
    def help_button(self) -> TermButton | None:
        """The `?` at the left edge; None if no term explains the setting."""
        return self._help

    @property
    def state(self) -> FieldState | None:
        """What the row shows; None before the first time."""
        return self._state

    @property
    def message(self) -> str:
        """The text below the field; "" if none is shown."""
        return self._message.text()

    @property
    def label_width(self) -> int:
        """Width that the label would like, in device-independent pixels."""
        metrics = self._label.fontMetrics()
        wanted = metrics.horizontalAdvance(self.info.spec.label) + 2
        return 0 if self._titled else wanted

    def set_label_width(self, width: int) -> None:
        """Align the label column; a longer label wraps."""
        self._label.setFixedWidth(width)

    def _take_theme(self, theme: Theme) -> None:
        self._tint_message()
        self._editor.set_muted(QColor(theme.muted))

    def show_state(self, state: FieldState) -> None:
        """Show value, difference and problem."""
        self._state = state
        self._editor.show_value(state.value)
        source = "Preset" if state.baseline.from_preset else "Default"
        value = _shown(self.info, state.baseline.value)
        self._reset.setToolTip(plain_tip(f"{source}: {value}"))
        self._reset.setAccessibleName(f"Reset {self.info.spec.label} to {value}")
        self._reset.setVisible(state.differs)
        below = state.message or state.reading
        self._message.setText(below)
        self._message.setVisible(bool(below))
        self._tint_message()
        described = [below, self.info.spec.help]
        self._editor.setAccessibleDescription(" ".join(filter(None, described)))
        if self._help is not None:
            # The gutter has room for one: the dot stays until the mouse is on it.
            self._help.set_painted(painted=not state.differs)
        self.update()

    def _tint_message(self) -> None:
        theme = current_theme()
        wrong = self._state is not None and bool(self._state.message)
        tint(self._message, theme.error if wrong else theme.muted)

    def matches(self, words: list[str]) -> bool:
        """Return whether every word occurs in its names or its help."""
        return all(word in self._words for word in words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the `?` beside the editor."""
        super().resizeEvent(event)
        self._place_help()

    def event(self, event: QEvent) -> bool:
        """Keep the `?` beside the editor when a message moves it."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place_help()
        return done

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Say what the setting means on Ctrl+F1, from any part of the row."""
        asked = event.keyCombination().toCombined() == HELP_KEYS.toCombined()
        if asked and self._help is not None:
            self._help.open_popover()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the dot of a difference and the outline of a problem."""
        super().paintEvent(event)
        if self._state is None:
            return
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        field = QRectF(self._editor.geometry())
        if self._state.differs:
            colour = theme.error if self._state.wrong else theme.accent
            paint_dot(painter, QPointF(11, field.center().y()), colour)
        if self._state.wrong:
            around = field.adjusted(-0.75, -0.75, 0.75, 0.75)
            paint_ring(painter, around, QColor(theme.error))

    def _help_button(self) -> TermButton | None:
        term = term_of_field(self.info.path)
        if term is None:
            return None
        button = TermButton(term, self)
        button.see_requested.connect(self.see_requested)
        return button

    def _place_help(self) -> None:
        if self._help is not None:
            middle = self._editor.geometry().center().y()
            half = self._help.height() // 2
            self._help.move((GUTTER - self._help.width()) // 2, middle - half + 1)

    def _arrange(self) -> None:
        self._label.setWordWrap(True)
        self._label.setBuddy(self._editor)
        self._label.setHidden(self._titled)
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.hide()
        self._reset.hide()
        layout = QGridLayout(self)
        layout.setContentsMargins(GUTTER, 3, 4, 3)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(3)
        layout.setColumnStretch(1, 1)
        if self._titled:
            layout.addWidget(self._editor, 0, 0, 1, 2)
        else:
            layout.addWidget(self._label, 0, 0)
            layout.addWidget(self._editor, 0, 1)
        layout.addWidget(self._reset, 0, 2)
        layout.addWidget(self._message, 1, 0, 1, 3)

    def _describe(self) -> None:
        tip = _tooltip(self.info)
        self.setToolTip(tip)
        self._editor.setToolTip(tip)
        self._editor.setObjectName(self.info.path)
        self._editor.setAccessibleName(self.info.spec.label)
        self._reset.setObjectName(f"reset {self.info.path}")

    def _on_value_edited(self, value: object) -> None:
        self.value_edited.emit(self.info.path, value)

    def _on_typing_changed(self) -> None:
        self.typing_changed.emit(self.info.path)

    def _on_sweep_chosen(self) -> None:
        value = proposed_axis(self.info, self._editor.value)
        self.sweep_requested.emit(self.info.path, value)

    def _on_reset_clicked(self) -> None:
        # The button is about to hide, which would send the focus to the next field.
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.reset_requested.emit(self.info.path)


def _searched_text(info: "FieldInfo") -> str:
    # Apart, so that no word is found across the border of two of them.
    return "\n".join([*info.names, info.spec.help]).lower()


def _shown(info: "FieldInfo", value: Any) -> str:
    if info.spec.word_for(value):
        return info.spec.at_zero
    titles = dict(info.choices)
    text = titles.get(value, "") if isinstance(value, str) else ""
    return text or exact_text(value)


def _tooltip(info: "FieldInfo") -> str:
    spec = info.spec
    titles = ", ".join(title for _, title in info.choices)
    label, *lines = (
        escape(line, quote=False)
        for line in (spec.label, spec.help, f"Allowed: {titles or spec.allowed()}")
    )
    path = f"<code>{escape(info.path, quote=False)}</code>"
    return f"<qt><b>{label}</b><br>{'<br>'.join([*lines, path])}</qt>"
