"""The part of the export dialog that says how large a figure is, and how it is written."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QWidget,
)

from metalab.figures.sizes import (
    FONT_SIZE_RANGE,
    LINE_WIDTH_RANGE,
    SIZES,
    WIDTH_RANGE,
    FigureSize,
    largest_text,
    styled_size,
)
from metalab.ui.export.rows import add_row, choice_box
from metalab.ui.export.settings import ExportSettings


class ExportStyle(QWidget):
    """Size preset, width, font, size of the text, and width of the lines.

    Another preset brings its own numbers along; a person may then change them.

    Attributes:
        changed: Something was chosen.
    """

    changed = Signal()

    def __init__(
        self, form: QFormLayout, settings: ExportSettings, parent: QWidget
    ) -> None:
        """Add the rows to a form."""
        super().__init__(parent)
        self.hide()
        self._preset = choice_box(
            [(size.title, name) for name, size in SIZES.items()], settings.size, parent
        )
        self._width = _spin(parent, WIDTH_RANGE, step=1.0, suffix=" mm")
        self._font = QComboBox(parent)
        self._font.addItem(settings.font)
        self._font.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._text = _spin(parent, FONT_SIZE_RANGE, step=0.5, suffix=" pt")
        self._line = _spin(parent, LINE_WIDTH_RANGE, step=0.1, suffix=" pt")
        self._take_preset()
        for box, value in (
            (self._width, settings.width),
            (self._text, settings.font_size),
            (self._line, settings.line_width),
        ):
            if value:
                box.setValue(value)
        self._limit_text()
        self._arrange(form)
        self._preset.currentIndexChanged.connect(self._on_preset_chosen)
        self._width.valueChanged.connect(self._on_width)
        self._font.currentIndexChanged.connect(self.changed)
        for box in (self._text, self._line):
            box.valueChanged.connect(self.changed)

    def _arrange(self, form: QFormLayout) -> None:
        both = QWidget(self.parentWidget())
        line = QHBoxLayout(both)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._text, 1)
        name = QLabel("&Line width", both)
        name.setBuddy(self._line)
        self._line.setAccessibleName("Line width")
        line.addWidget(name)
        line.addWidget(self._line, 1)
        for text, field, editor in (
            ("Si&ze", self._preset, self._preset),
            ("Widt&h", self._width, self._width),
            ("Fo&nt", self._font, self._font),
            ("Font siz&e", both, self._text),
        ):
            add_row(form, text, field, editor)

    @property
    def paper(self) -> FigureSize:
        """The size that was chosen, with everything of it."""
        width, font_size, line_width = self.own
        return styled_size(
            self._preset.currentData(),
            width=width or None,
            font=self._font.currentText(),
            font_size=font_size or None,
            line_width=line_width or None,
        )

    @property
    def own(self) -> tuple[float, float, float]:
        """Width, size of the text and of lines; 0 where they are the preset's."""
        preset = SIZES[self._preset.currentData()]
        width, text, line = (
            0.0 if box.value() == round(own, 1) else box.value()
            for box, own in (
                (self._width, preset.width),
                (self._text, preset.text),
                (self._line, preset.line),
            )
        )
        return width, text, line

    def offer_fonts(self, families: Sequence[str]) -> None:
        """Offer some families; the chosen one stays, even if it is not among them."""
        chosen = self._font.currentText()
        blocked = self._font.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self._font.clear()
        self._font.addItems(list(dict.fromkeys((*families, chosen))))
        self._font.setCurrentText(chosen)
        self._font.blockSignals(blocked)

    def _take_preset(self) -> None:
        preset = SIZES[self._preset.currentData()]
        self._text.setMaximum(FONT_SIZE_RANGE[1])
        self._width.setValue(preset.width)
        self._text.setValue(preset.text)
        self._line.setValue(preset.line)

    def _limit_text(self) -> None:
        """Offer no text that the width has no room for."""
        most = min(largest_text(self._width.value()), FONT_SIZE_RANGE[1])
        self._text.setMaximum(most)

    def _on_preset_chosen(self) -> None:
        boxes = (self._width, self._text, self._line)
        blocked = [box.blockSignals(True) for box in boxes]  # noqa: FBT003
        self._take_preset()
        self._limit_text()
        for box, before in zip(boxes, blocked, strict=True):
            box.blockSignals(before)
        self.changed.emit()

    def _on_width(self) -> None:
        self._limit_text()
        self.changed.emit()


def _spin(
    parent: QWidget, limits: tuple[float, float], *, step: float, suffix: str
) -> QDoubleSpinBox:
    box = QDoubleSpinBox(parent)
    box.setDecimals(1)
    box.setRange(*limits)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    return box
