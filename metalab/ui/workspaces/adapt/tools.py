"""Controls of the Adapt page: task, step size, K', overlays."""

from dataclasses import dataclass
from math import log10

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.plot.painting import tint
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.breaking_row import BreakingRow
from metalab.ui.widgets.header import tool_button
from metalab.ui.widgets.plain_text import plain_tip
from metalab.ui.workspaces.adapt.canvas import OVERLAY_ROLES
from metalab.ui.workspaces.adapt.scene import KINDS, UNKNOWN

EXTRA_STEPS = 50
"""How many inner steps beyond training's K can be shown."""

_LR_SPAN, _LR_STEPS = 1.0, 60
"""The slider goes so many powers of ten down and up, in so many stops each way."""

_LEAST_WIDTH, _MOST_WIDTH = 50, 160

_BACK_ICON = QSize(14, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Another start that can be laid over.

    Attributes:
        key: Tells starts apart.
        title: On its check box.
        tip: One sentence.
        why_not: Why it cannot be chosen; "" if it can.
    """

    key: str
    title: str
    tip: str
    why_not: str = ""


_PUT_BACK = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)


class LabelledSlider(QWidget):
    """A slider with its name, its value, and ways back to the run's own value.

    A double click, Backspace or Delete on the slider, and a button that is there while
    the value is another.

    Attributes:
        moved: The slider's position, moved by a person.
        put_back: The value shall be the run's own.
        back: The button.
    """

    moved = Signal(int)
    put_back = Signal()

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = QLabel(name, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setMinimumWidth(_LEAST_WIDTH)
        self.slider.setMaximumWidth(_MOST_WIDTH)
        self.slider.setAccessibleName(name)
        self._value = QLabel(self)
        self._measure()
        self.back = tool_button(
            f"{name}: the run's own",
            "Back to the run's own value (double click, Backspace)",
            parent=self,
        )
        self.back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.back.setIconSize(_BACK_ICON)
        # Nothing moves when it comes.
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self.back.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self._name, self.slider, self._value):
            part.setToolTip(tip)
            part.installEventFilter(self)
            layout.addWidget(part)
        layout.addWidget(self.back)
        self.slider.valueChanged.connect(self.moved)
        self.back.clicked.connect(self._on_back)
        follow_theme(self._take_theme)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def _measure(self) -> None:
        self._value.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.0001"))

    @property
    def text(self) -> str:
        """The value as it is written."""
        return self._value.text()

    def show_value(self, position: int, text: str, *, own: bool) -> None:
        """Show a value without saying that it moved.

        Args:
            position: Of the slider.
            text: The value.
            own: Whether it is the run's own.
        """
        blocked = self.slider.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.slider.setValue(position)
        self.slider.blockSignals(blocked)
        self._value.setText(text)
        if own and self.back.hasFocus():
            # It goes, and the keys stay here.
            self.slider.setFocus()
        self.back.setVisible(not own)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._name, theme.muted)
        tint(self._value, theme.text)
        self.back.setIcon(theme_icon("reset", theme))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Put the value back on a double click, or with a key on the slider."""
        kind = event.type()
        asked = kind == QEvent.Type.MouseButtonDblClick
        if isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            asked = Qt.Key(event.key()) in _PUT_BACK
        if asked and self.slider.isEnabled():
            self.put_back.emit()
            return True
        return super().eventFilter(watched, event)

    def _on_back(self) -> None:
        self.put_back.emit()


class AdaptTools(QWidget):
    """Two rows above the canvas, or three where the sliders would be cut off.

    Attributes:
        kind_chosen: One of `KINDS`, for the true curve.
        dice_clicked: Another held-out task, or other points on the curve.
        paste_clicked: Points shall come from the clipboard.
        type_clicked: Points shall be typed.
        new_clicked: A task without points shall begin.
        reset_clicked: The task shall be as it was.
        inner_lr_chosen: Factor on the experiment's inner learning rate.
        last_step_chosen: K'.
        last_step_put_back: K' shall be the run's own.
        fan_toggled: Whether other support sets are shown.
        overlay_toggled: Key of an overlay, and whether it is shown.
        add_clicked: Another run shall be laid over.
    """

    kind_chosen = Signal(str)
    dice_clicked = Signal()
    paste_clicked = Signal()
    type_clicked = Signal()
    new_clicked = Signal()
    reset_clicked = Signal()
    inner_lr_chosen = Signal(float)
    last_step_chosen = Signal(int)
    last_step_put_back = Signal()
    fan_toggled = Signal(bool)
    overlay_toggled = Signal(str, bool)
    add_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: dict[str, QCheckBox] = {}
        self._roles: dict[str, str] = {}
        self.kind = QComboBox(self)
        titles = {
            "held-out": "Held-out task",
            "sine": "Sine",
            "line": "Line",
            "square": "Square wave",
            "drawn": "Draw by hand",
            UNKNOWN: "No true curve",
        }
        for name in KINDS:
            self.kind.addItem(titles[name], name)
        self.kind.setAccessibleName("True curve")
        self.kind.setToolTip(
            "The curve behind the points; its handle changes it, and in "
            "“Draw by hand” a drag over the plot draws it"
        )
        self.dice = tool_button(
            "New points",
            "Draw other support points: from the true curve, or among a task's "
            "observations (R)",
            parent=self,
        )
        self.paste = tool_button(
            "Paste x, y",
            "Take the support set from the clipboard: two numbers a line, as text, "
            "or as copied from a table; nobody knows a true curve of theirs",
            parent=self,
        )
        self.type = tool_button(
            "Type…", "Type the support set, or change its numbers", parent=self
        )
        self.new = tool_button(
            "New task",
            "Begin with an empty canvas: double-click it where points shall be",
            parent=self,
        )
        self.reset = tool_button(
            "Reset", "Back to the held-out task (Esc)", parent=self
        )
        self.rate = LabelledSlider(
            "Inner lr",
            "Step size of the inner loop here; the run keeps its own",
            self,
        )
        self.last = LabelledSlider(
            "Inner steps K'",
            "How many inner steps are shown; beyond K none were trained",
            self,
        )
        self.fan = QCheckBox("Other support sets", self)
        self.fan.setToolTip(
            "The curve after K inner steps on sixteen other support sets"
        )
        self.add = tool_button(
            "Add run…",
            "Lay another run, from its file, over the same points",
            parent=self,
        )
        self._overlay_row = QHBoxLayout()
        self._arrange()
        self._connect()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.rate.slider.setRange(-_LR_STEPS, _LR_STEPS)
        first = BreakingRow(
            (self.kind, self.dice, self.new, self.paste, self.type, self.reset),
            (self.rate, self.last),
            self,
        )
        self._overlay_row.setSpacing(10)
        over = QLabel("On the same points:", self)
        self._over = over
        self._overlay_row.addWidget(over)
        self._overlay_row.addWidget(self.fan)
        self._overlay_row.addStretch(1)
        self._overlay_row.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(first)
        layout.addLayout(self._overlay_row)

    def _connect(self) -> None:
        self.kind.activated.connect(self._on_kind)
        self.dice.clicked.connect(self.dice_clicked)
        self.paste.clicked.connect(self.paste_clicked)
        self.type.clicked.connect(self.type_clicked)
        self.new.clicked.connect(self.new_clicked)
        self.reset.clicked.connect(self.reset_clicked)
        self.fan.toggled.connect(self.fan_toggled)
        self.add.clicked.connect(self.add_clicked)
        self.rate.moved.connect(self._on_rate)
        self.rate.put_back.connect(self._on_rate_put_back)
        self.last.moved.connect(self.last_step_chosen)
        self.last.put_back.connect(self.last_step_put_back)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._over, theme.muted)
        for key, box in self._chips.items():
            self._colour(box, self._roles.get(key))

    def show_kind(self, kind: str) -> None:
        """Show which curve there is."""
        self.kind.setCurrentIndex(KINDS.index(kind))

    def show_rate(self, inner_lr: float | None, factor: float) -> None:
        """Show the step size; None for a method without a set one."""
        self.rate.setEnabled(inner_lr is not None)
        text = "–" if inner_lr is None else number_text(inner_lr * factor)
        self.rate.show_value(_position_of(factor), text, own=factor == 1)

    def show_last(self, trained: int, last: int, *, own: int) -> None:
        """Show K'.

        Args:
            trained: K.
            last: K'.
            own: K' of the run.
        """
        blocked = self.last.slider.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.last.slider.setRange(trained, max(trained + EXTRA_STEPS, own))
        self.last.slider.blockSignals(blocked)
        self.last.show_value(last, str(last), own=last == own)

    def set_overlays(self, overlays: tuple[Overlay, ...]) -> None:
        """Offer starts to lay over; those that stay keep their state."""
        for key in [key for key in self._chips if key not in {o.key for o in overlays}]:
            box = self._chips.pop(key)
            self._roles.pop(key, None)
            self._overlay_row.removeWidget(box)
            box.deleteLater()
        for overlay in overlays:
            box = self._chips.get(overlay.key)
            if box is None:
                box = QCheckBox(overlay.title, self)
                box.toggled.connect(self._on_toggled)
                box.setProperty("key", overlay.key)
                self._chips[overlay.key] = box
                self._overlay_row.insertWidget(self._overlay_row.count() - 3, box)
                box.show()
            box.setEnabled(not overlay.why_not)
            box.setToolTip(plain_tip(overlay.why_not or overlay.tip))

    def roles(self) -> dict[str, str]:
        """Return the colour of each overlay that is shown, by key."""
        return dict(self._roles)

    def overlay_box(self, key: str) -> QCheckBox:
        """Return the check box of an overlay."""
        return self._chips[key]

    def _on_kind(self, index: int) -> None:
        self.kind_chosen.emit(KINDS[index])

    def _on_rate(self, position: int) -> None:
        self.inner_lr_chosen.emit(10 ** (_LR_SPAN * position / _LR_STEPS))

    def _on_rate_put_back(self) -> None:
        self.inner_lr_chosen.emit(1.0)

    def _on_toggled(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        box = self.sender()
        assert isinstance(box, QCheckBox), "a chip is a check box"
        key = str(box.property("key"))
        if on:
            free = [role for role in OVERLAY_ROLES if role not in self._roles.values()]
            if not free:
                # As many as there are colours to tell them apart.
                box.setChecked(False)
                return
            self._roles[key] = free[0]
        else:
            self._roles.pop(key, None)
        self._colour(box, self._roles.get(key))
        self.overlay_toggled.emit(key, on)

    def _colour(self, box: QCheckBox, role: str | None) -> None:
        theme = current_theme()
        tint(box, getattr(theme, role) if role else theme.text)


def _position_of(factor: float) -> int:
    return round(_LR_STEPS * log10(factor) / _LR_SPAN)
