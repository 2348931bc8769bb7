"""What a person chooses about the plot of losses over training."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from metalab.figures.base import X_AXES
from metalab.ui.painting import tint
from metalab.ui.theme import Theme
from metalab.ui.views.header import tool_button

SMOOTHING = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Weights of the past that the slider offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChoices:
    """How losses over training are shown.

    Attributes:
        log_y: Whether the loss axis is logarithmic.
        smoothing: Weight of the past in the moving average, one of `SMOOTHING`.
        x: What losses are drawn against, one of `metalab.figures.base.X_AXES`.
        trimmed: Whether outliers do not stretch the axis.
    """

    log_y: bool = True
    smoothing: float = 0.98
    x: str = X_AXES[0]
    trimmed: bool = True


class SmoothingSlider(QWidget):
    """A slider over the weights of the moving average, with its value.

    Attributes:
        weight_changed: The new weight.
    """

    weight_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = self.tr(
            "Smoothing: weight of the past in the moving average; 0 shows raw values"
        )
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, len(SMOOTHING) - 1)
        self._slider.setPageStep(2)
        self._slider.setFixedWidth(76)
        self._slider.setToolTip(tip)
        self._slider.setAccessibleName(self.tr("Smoothing"))
        self._name = QLabel(self.tr("Smoothing"), self)
        self._name.setToolTip(tip)
        self._value = QLabel(self)
        self._fit()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 0, 0)
        layout.setSpacing(5)
        for widget in (self._name, self._slider, self._value):
            layout.addWidget(widget)
        self._slider.valueChanged.connect(self._on_value_changed)
        self.set_weight(LossChoices().smoothing)

    @property
    def slider(self) -> QSlider:
        """The slider; its value counts in `SMOOTHING`."""
        return self._slider

    @property
    def weight(self) -> float:
        """The chosen weight."""
        return SMOOTHING[self._slider.value()]

    def set_weight(self, weight: float) -> None:
        """Choose the offered weight that is nearest."""
        nearest = min(SMOOTHING, key=lambda offered: abs(offered - weight))
        self._slider.setValue(SMOOTHING.index(nearest))
        self._say_value()

    def set_named(self, *, named: bool) -> None:
        """Show or hide the word before the slider."""
        self._name.setVisible(named)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        for label in (self._name, self._value):
            tint(label, theme.muted)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font of the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        """Keep room for every value, so that none moves what stands beside it."""
        self._value.setFixedWidth(self.fontMetrics().horizontalAdvance("0.999") + 2)

    def _say_value(self) -> None:
        self._value.setText(f"{self.weight:g}")
        self._slider.setAccessibleDescription(self._value.text())

    def _on_value_changed(self) -> None:
        self._say_value()
        self.weight_changed.emit(self.weight)


class AxisButton(QToolButton):
    """The label of the horizontal axis, which is also the choice of it.

    Attributes:
        axis_changed: The new axis, one of `X_AXES`.
    """

    axis_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = {
            "outer step": self.tr("Outer step"),
            "training time": self.tr("Training time (s)"),
            "tasks seen": self.tr("Tasks seen"),
        }
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tip = self.tr("What the losses are drawn against")
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

    @property
    def axis(self) -> str:
        """The chosen axis."""
        return self._axis

    def set_axis(self, axis: str) -> None:
        """Choose an axis, one of `X_AXES`."""
        self._axis = axis
        label = self._labels[axis]
        self.setText(f"{label} ▾")
        self.setAccessibleName(self.tr("Axis: {axis}").format(axis=label))
        for action in self._menu.actions():
            action.setChecked(action.data() == axis)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
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
            self.tr("Log"),
            self.tr("Logarithmic loss axis"),
            parent=self,
            checkable=True,
        )
        self.trim = tool_button(
            self.tr("Ignore outliers"),
            self.tr("Scale the loss axis to the middle 98 % of the values"),
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
        self.smoothing.weight_changed.connect(self.choice_changed)
        self.axis.axis_changed.connect(self.choice_changed)

    def choices(self) -> LossChoices:
        """Return what is chosen."""
        return LossChoices(
            log_y=self.log.isChecked(),
            smoothing=self.smoothing.weight,
            x=self.axis.axis,
            trimmed=self.trim.isChecked(),
        )

    def show_choices(self, choices: LossChoices) -> None:
        """Choose everything."""
        self.log.setChecked(choices.log_y)
        self.trim.setChecked(choices.trimmed)
        self.smoothing.set_weight(choices.smoothing)
        self.axis.set_axis(choices.x)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.smoothing.set_theme(theme)
        self.axis.set_theme(theme)
