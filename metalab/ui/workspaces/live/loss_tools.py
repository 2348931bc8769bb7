"""Controls of the plot of losses over training."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from metalab.figures.base import X_AXES, FigureChoices
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.header import tool_button

SMOOTHING = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of what is shown that the slider offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChoices:
    """How losses over training are shown.

    Attributes:
        log_y: Whether the loss axis is logarithmic.
        smoothing: Share of what is shown that the moving average spans, one of
            `SMOOTHING`.
        x: What losses are drawn against, one of `metalab.figures.base.X_AXES`.
        trimmed: Whether outliers do not stretch the axis.
    """

    log_y: bool = True
    smoothing: float = FigureChoices().smoothing
    x: str = X_AXES[0]
    trimmed: bool = True


def share_text(share: float) -> str:
    """Return a share of what is shown in words."""
    if share == 0:
        return "off"
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


class SmoothingSlider(QWidget):
    """A slider over the spans of the moving average, with its value.

    Attributes:
        share_changed: The new share of what is shown.
    """

    share_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = (
            "Smoothing: share of what is shown that the moving average spans; on a "
            "logarithmic axis a geometric mean. Off shows raw values"
        )
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, len(SMOOTHING) - 1)
        self._slider.setPageStep(2)
        self._slider.setFixedWidth(76)
        self._slider.setToolTip(tip)
        self._slider.setAccessibleName("Smoothing")
        self._name = QLabel("Smoothing", self)
        self._name.setToolTip(tip)
        self._value = QLabel(self)
        self._fit()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 0, 0)
        layout.setSpacing(5)
        for widget in (self._name, self._slider, self._value):
            layout.addWidget(widget)
        self._slider.valueChanged.connect(self._on_value_changed)
        self.set_share(LossChoices().smoothing)
        follow_theme(self._take_theme)

    @property
    def slider(self) -> QSlider:
        """The slider; its value counts in `SMOOTHING`."""
        return self._slider

    @property
    def share(self) -> float:
        """The chosen share."""
        return SMOOTHING[self._slider.value()]

    def set_share(self, share: float) -> None:
        """Choose the offered share that is nearest."""
        nearest = min(SMOOTHING, key=lambda offered: abs(offered - share))
        self._slider.setValue(SMOOTHING.index(nearest))
        self._say_value()

    def set_named(self, *, named: bool) -> None:
        """Show or hide the word before the slider."""
        self._name.setVisible(named)

    def _take_theme(self, theme: Theme) -> None:
        for label in (self._name, self._value):
            tint(label, theme.muted)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font of the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        """Keep room for every value, so that none moves what stands beside it."""
        widest = max(
            map(self.fontMetrics().horizontalAdvance, map(share_text, SMOOTHING))
        )
        self._value.setFixedWidth(widest + 2)

    def _say_value(self) -> None:
        self._value.setText(share_text(self.share))
        self._slider.setAccessibleDescription(self._value.text())

    def _on_value_changed(self) -> None:
        self._say_value()
        self.share_changed.emit(self.share)


class AxisButton(QToolButton):
    """The label of the horizontal axis, which is also the choice of it.

    Attributes:
        axis_changed: The new axis, one of `X_AXES`.
    """

    axis_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = {
            "outer step": "Outer step",
            "training time": "Training time (s)",
            "tasks seen": "Tasks seen",
        }
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tip = "What the losses are drawn against"
        self.setToolTip(tip)
        self.setAccessibleDescription(tip)
        # Not a menu of the button: the style would paint its own, stray arrow.
        self._menu = QMenu(self)
        group = QActionGroup(self)
        for axis in X_AXES:
            action = self._menu.addAction(self._labels[axis])
            action.setData(axis)
            action.setCheckable(True)
            group.addAction(action)
        group.triggered.connect(self._on_triggered)
        self.clicked.connect(self._on_clicked)
        self._axis = ""
        self.set_axis(X_AXES[0])
        follow_theme(self._take_theme)

    @property
    def axis(self) -> str:
        """The chosen axis."""
        return self._axis

    def set_axis(self, axis: str) -> None:
        """Choose an axis, one of `X_AXES`."""
        self._axis = axis
        label = self._labels[axis]
        self.setText(f"{label} ▾")
        self.setAccessibleName(f"Axis: {label}")
        for action in self._menu.actions():
            action.setChecked(action.data() == axis)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.muted, self.palette().ColorRole.ButtonText)
        tint(self, theme.muted)

    def choose(self, axis: str) -> None:
        """Choose an axis as a person does."""
        self.set_axis(axis)
        self.axis_changed.emit(axis)

    def _on_clicked(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _on_triggered(self, action: QAction) -> None:
        self.choose(action.data())


class LossTools(QWidget):
    """Log, outliers and smoothing, in a row.

    Attributes:
        choice_changed: A person chose something.
    """

    choice_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = tool_button(
            "Log",
            "Logarithmic loss axes: one switch for the outer loss and the inner steps",
            parent=self,
            checkable=True,
        )
        self.trim = tool_button(
            "Ignore outliers",
            "Scale the loss axis to the middle 98 % of the values",
            parent=self,
            checkable=True,
        )
        self.smoothing = SmoothingSlider(self)
        self.axis = AxisButton()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (self.log, self.trim, self.smoothing):
            layout.addWidget(widget)
        self.show_choices(LossChoices())
        self.log.clicked.connect(self.choice_changed)
        self.trim.clicked.connect(self.choice_changed)
        self.smoothing.share_changed.connect(self.choice_changed)
        self.axis.axis_changed.connect(self.choice_changed)

    def choices(self) -> LossChoices:
        """Return what is chosen."""
        return LossChoices(
            log_y=self.log.isChecked(),
            smoothing=self.smoothing.share,
            x=self.axis.axis,
            trimmed=self.trim.isChecked(),
        )

    def show_choices(self, choices: LossChoices) -> None:
        """Choose everything."""
        self.log.setChecked(choices.log_y)
        self.trim.setChecked(choices.trimmed)
        self.smoothing.set_share(choices.smoothing)
        self.axis.set_axis(choices.x)
