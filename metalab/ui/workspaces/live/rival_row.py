"""One method of a comparison with baselines: its figures, and where it is to the run."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from metalab.analysis.rivals import LeftOut, Measured
from metalab.ui.plot.painting import tint
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_STRIP_HEIGHT = 16
_DOT = 3.5
_MARGIN = 6.0


class RivalRow(QWidget):
    """Title, loss with its interval, and the paired difference to the run."""

    def __init__(
        self, row: Measured | LeftOut, *, unit: str, parent: QWidget | None = None
    ) -> None:
        """Make the row of one method.

        Args:
            row: What is known of it.
            unit: Name of what is predicted, whose unit errors have; "" for none.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self.row = row
        self._names: list[QLabel] = []
        self._lines: list[str] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(10, 8, 6, 8)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._title = _label(row.title, self)
        font = QFont(self._title.font())
        font.setBold(True)
        self._title.setFont(font)
        self._grid.addWidget(self._title, 0, 0, 1, 2)
        self.strip: DifferenceStrip | None = None
        if isinstance(row, LeftOut):
            self._add_sentence(f"Left out: {row.reason}", 1)
        else:
            self._show(row, unit)
        self.setAccessibleName(". ".join(self.texts))
        follow_theme(self._take_theme)

    @property
    def texts(self) -> list[str]:
        """Everything that it says, line by line."""
        return [self._title.text(), *self._lines]

    def _show(self, row: Measured, unit: str) -> None:
        lines = [("Loss", _with_interval(row.mean, row.mean_low, row.mean_high))]
        if row.rmse is not None:
            lines.append(("RMSE", f"{number_text(row.rmse)} {unit}".rstrip()))
        if not row.is_run:
            difference = _with_interval(row.difference, row.low, row.high, signed=True)
            lines.append(("Difference", difference))
        for place, (name, value) in enumerate(lines, start=1):
            self._names.append(QLabel(name, self))
            self._names[-1].setTextFormat(Qt.TextFormat.PlainText)
            self._names[-1].setAlignment(Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(self._names[-1], place, 0)
            self._grid.addWidget(_figures(value, self), place, 1)
            self._lines.append(f"{name} {value}")
        if row.is_run:
            return
        self.strip = DifferenceStrip(row, self)
        self._grid.addWidget(self.strip, len(lines) + 1, 0, 1, 2)
        self._add_sentence(verdict(row), len(lines) + 2)

    def _add_sentence(self, text: str, place: int) -> None:
        self._names.append(_label(text, self))
        self._grid.addWidget(self._names[-1], place, 0, 1, 2)
        self._lines.append(text)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        for label in self._names:
            tint(label, theme.muted)


def verdict(row: Measured) -> str:
    """Return who is better, as far as the interval of the difference tells."""
    count = len(row.losses)
    ahead = f"ahead on {round(row.share_better * count):,} of {count:,} tasks"
    if not (math.isfinite(row.low) and math.isfinite(row.high)):
        return f"No interval: a few tasks outweigh the others. Run {ahead}"
    if row.low > 0:
        return f"Run better, {ahead}"
    if row.high < 0:
        return f"Run worse, {ahead}"
    return f"No clear difference. Run {ahead}"


class DifferenceStrip(QWidget):
    """The difference to the run with its interval, on a scale that all rows share."""

    def __init__(self, row: Measured, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = row
        self._reach = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def reach(self) -> float:
        """How far its own difference goes from 0."""
        ends = (self._row.difference, self._row.low, self._row.high)
        return max((abs(end) for end in ends if math.isfinite(end)), default=0.0)

    def set_reach(self, reach: float) -> None:
        """Let the strip go from minus to plus so much."""
        self._reach = reach
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of one interval."""
        return QSize(100, _STRIP_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line of no difference, the interval, and the mean."""
        del event
        theme, row = current_theme(), self._row
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(_MARGIN, 1, -_MARGIN, -1)
        middle = frame.center().y()
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(frame.left(), middle), QPointF(frame.right(), middle))
        painter.setPen(QPen(QColor(theme.muted), 1))
        zero = self._place(0.0, frame)
        painter.drawLine(QPointF(zero, frame.top()), QPointF(zero, frame.bottom()))
        colour = QColor(theme.evaluation)
        if math.isfinite(row.low) and math.isfinite(row.high):
            pen = QPen(colour, 3)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            ends = [QPointF(self._place(x, frame), middle) for x in (row.low, row.high)]
            painter.drawLine(*ends)
        if math.isfinite(row.difference):
            painter.setPen(QPen(QColor(theme.surface), 1))
            painter.setBrush(colour)
            centre = QPointF(self._place(row.difference, frame), middle)
            painter.drawEllipse(centre, _DOT, _DOT)

    def _place(self, value: float, frame: QRectF) -> float:
        share = value / self._reach if self._reach else 0.0
        return frame.center().x() + share * frame.width() / 2


def _label(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _figures(text: str, parent: QWidget) -> QLabel:
    """Return figures that can be marked with the mouse, to be taken into a text."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignRight)
    # Tiny numbers are long: the interval then goes below its mean.
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _with_interval(
    mean: float, low: float, high: float, *, signed: bool = False
) -> str:
    def text(value: float) -> str:
        plus = "+" if signed and value > 0 else ""
        return plus + number_text(value)

    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{text(mean)}, no interval"
    # The interval goes below its mean as a whole, where there is no room for both.
    whole = f"[{text(low)},\N{NO-BREAK SPACE}{text(high)}]"
    return f"{text(mean)}  {whole}"
