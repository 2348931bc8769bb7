"""The key to the colours of a loss."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from metalab.analysis.loss_scale import LossScale
from metalab.experiment.loss_words import DEFAULT_WORDS, with_unit
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.live.tile_painter import loss_colour

_BAR, _BAR_HEIGHT, _GAP, _SIDE = 64, 8, 6, 4
_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class LossKey(QWidget):
    """A strip of colours between the losses that its ends stand for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ends = ("", "")
        self._unit = DEFAULT_WORDS.query_unit
        self._named = True
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    @property
    def ends(self) -> tuple[str, str]:
        """The losses at the two ends, as they are written."""
        return self._ends

    def set_named(self, *, named: bool) -> None:
        """Say in the strip itself what it is of, where there is room for that."""
        if named != self._named:
            self._named = named
            self.updateGeometry()
            self.update()

    @property
    def _name(self) -> str:
        return with_unit("Loss", self._unit) if self._named else ""

    def set_scale(self, scale: LossScale, *, unit: str) -> None:
        """Say which losses the first and the last colour are."""
        self._unit = unit
        self._ends = (number_text(scale.best), number_text(scale.worst))
        steps = "logarithmic" if scale.logarithmic else "straight"
        text = (
            f"Border: query loss after K inner steps, on a {steps} scale up to the "
            f"loss of predicting zero, {self._ends[1]}"
        )
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the strip and its numbers."""
        metrics = self.fontMetrics()
        texts = filter(None, (self._name, *self._ends))
        numbers = sum(metrics.horizontalAdvance(text) + _GAP for text in texts)
        return QSize(_BAR + numbers + 2 * _SIDE, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the strip and its numbers."""
        del event
        if not self._ends[1]:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(_SIDE, 0, -_SIDE, 0)
        align = Qt.AlignmentFlag.AlignVCenter
        theme = current_theme()
        painter.setPen(QColor(theme.muted))
        painter.drawText(frame, align, self._name)
        if self._name:
            name = painter.fontMetrics().horizontalAdvance(self._name) + _GAP
            frame.adjust(name, 0, 0, 0)
        painter.drawText(frame, align, self._ends[0])
        painter.drawText(frame, align | Qt.AlignmentFlag.AlignRight, self._ends[1])
        left = frame.left() + painter.fontMetrics().horizontalAdvance(self._ends[0])
        bar = QRectF(
            left + _GAP, frame.center().y() - _BAR_HEIGHT / 2, _BAR, _BAR_HEIGHT
        )
        gradient = QLinearGradient(QPointF(bar.left(), 0), QPointF(bar.right(), 0))
        for share in _STOPS:
            gradient.setColorAt(share, loss_colour(share, theme))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, 2, 2)
