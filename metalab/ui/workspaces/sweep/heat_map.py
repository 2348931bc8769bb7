"""Held-out loss along two axes of a sweep, as colours."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from metalab.engine.events import Array
from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.workspaces.landscape.colours import ColourScale, viridis
from metalab.ui.workspaces.sweep.outcomes import SweepOutcomes, axis_label, value_label

MOST_LEVELS = 60
"""Of an axis: more cells could be neither seen nor hit."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 86, 14, 44
_BAR = 14
_GAP = 1.0
_DARK_INK, _LIGHT_INK = "#101418", "#ffffff"
_LIGHT = 0.18
"""Luminance at which dark and light ink have the same contrast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Runs that have the same place on both axes.

    Attributes:
        runs: Their numbers.
        loss: Mean of the known ones; NaN where none is, infinite if one diverged.
    """

    runs: tuple[int, ...]
    loss: float


class HeatMap(QWidget):
    """One cell for each pair of values; all that differs otherwise is averaged.

    Attributes:
        brushed: Runs in the cells that a person dragged over; none after a click beside.
    """

    brushed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._outcomes: SweepOutcomes | None = None
        self._x = self._y = ""
        self._cells: dict[tuple[int, int], Cell] = {}
        self._scale = ColourScale(low=0.0, high=1.0, log=False)
        self._selected: frozenset[int] = frozenset()
        self._drag: tuple[tuple[int, int], tuple[int, int]] | None = None
        self.message = "No axes yet"
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Heat map of held-out losses")
        self.setAutoFillBackground(True)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, self.backgroundRole())

    def minimumSizeHint(self) -> QSize:
        """Return a size at which cells of a small sweep can be read."""
        return QSize(260, 150)

    def show_outcomes(self, outcomes: SweepOutcomes | None, x: str, y: str) -> None:
        """Show losses along two axes; y is "" for one row."""
        self._outcomes, self._x, self._y = outcomes, x, y
        self._cells = {}
        self.message = "No axes yet"
        if outcomes is not None and x:
            self.message = self._too_many(outcomes)
            if not self.message:
                self._take_in(outcomes)
        self.setAccessibleDescription(self._described())
        self.update()

    def set_selected(self, runs: frozenset[int]) -> None:
        """Outline the cells of some runs."""
        self._selected = runs
        self.update()

    def _too_many(self, outcomes: SweepOutcomes) -> str:
        for axis in filter(None, (self._x, self._y)):
            count = len(outcomes.levels(axis))
            if count > MOST_LEVELS:
                return (
                    f"{axis_label(axis)} has {count:,} values: parallel coordinates show "
                    "them"
                )
        return ""

    def _take_in(self, outcomes: SweepOutcomes) -> None:
        columns = outcomes.places(self._x)
        rows = outcomes.places(self._y) if self._y else [0] * len(columns)
        members: dict[tuple[int, int], list[int]] = {}
        for index, place in enumerate(zip(columns, rows, strict=True)):
            members.setdefault(place, []).append(index)
        self._cells = {
            place: Cell(runs=tuple(runs), loss=_mean(outcomes.losses[runs]))
            for place, runs in members.items()
        }
        losses = np.array([cell.loss for cell in self._cells.values()])
        known = losses[np.isfinite(losses)]
        log = bool(len(known)) and known.min() > 0 and known.max() > 10 * known.min()
        self._scale = ColourScale.of(losses, log=log)

    def _described(self) -> str:
        known = [cell.loss for cell in self._cells.values() if np.isfinite(cell.loss)]
        if not known:
            return self.message or "No run has ended yet"
        return f"Held-out loss from {min(known):.3g} to {max(known):.3g}"

    # Where things are

    def _frame(self) -> QRectF:
        return QRectF(
            _LEFT,
            _TOP,
            max(40.0, self.width() - _LEFT - _RIGHT),
            max(30.0, self.height() - _TOP - _BOTTOM),
        )

    def _sizes(self) -> tuple[int, int]:
        assert self._outcomes is not None, "there are cells"
        rows = len(self._outcomes.levels(self._y)) if self._y else 1
        return len(self._outcomes.levels(self._x)), rows

    def rect_of(self, place: tuple[int, int]) -> QRectF:
        """Return where a cell is, counted from the left and from the bottom."""
        frame, (columns, rows) = self._frame(), self._sizes()
        width, height = frame.width() / columns, frame.height() / rows
        left = frame.left() + place[0] * width
        top = frame.bottom() - (place[1] + 1) * height
        return QRectF(left, top, width, height)

    def _place_at(self, point: QPointF) -> tuple[int, int] | None:
        if not self._cells or not self._frame().contains(point):
            return None
        frame, (columns, rows) = self._frame(), self._sizes()
        column = int((point.x() - frame.left()) / frame.width() * columns)
        row = int((frame.bottom() - point.y()) / frame.height() * rows)
        return min(column, columns - 1), min(row, rows - 1)

    # Brushing

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to brush at a cell; beside the cells, forget the brush."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        place = self._place_at(event.position())
        self._drag = None if place is None else (place, place)
        self._tell()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Brush the cells in between; without a button, say what is under the mouse."""
        place = self._place_at(event.position())
        if place is None:
            return
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            if place != self._drag[1]:
                self._drag = (self._drag[0], place)
                self._tell()
            return
        cell = self._cells.get(place)
        if cell is not None:
            QToolTip.showText(
                event.globalPosition().toPoint(), self._words(place, cell)
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the brush; its runs stay."""
        del event
        self._drag = None

    def _tell(self) -> None:
        if self._drag is None:
            self.brushed.emit(frozenset[int]())
            return
        (x0, y0), (x1, y1) = self._drag
        runs = [
            run
            for (x, y), cell in self._cells.items()
            if min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1)
            for run in cell.runs
        ]
        self.brushed.emit(frozenset(runs))

    def _words(self, place: tuple[int, int], cell: Cell) -> str:
        assert self._outcomes is not None, "there are cells"
        lines = [f"{axis_label(self._x)} {value_label(self._level(self._x, place[0]))}"]
        if self._y:
            lines.append(
                f"{axis_label(self._y)} {value_label(self._level(self._y, place[1]))}"
            )
        known = int(np.isfinite(self._outcomes.losses[list(cell.runs)]).sum())
        lines.append(
            f"held-out loss {_text(cell.loss)}, of {known} of {len(cell.runs)} runs"
        )
        return "\n".join(lines)

    def _level(self, axis: str, place: int):  # noqa: ANN202 - a value of any axis
        assert self._outcomes is not None, "there are cells"
        return self._outcomes.levels(axis)[place]

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint cells, axes and colour bar; or say why there are none."""
        del event
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._cells:
            painter.setPen(QColor(theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 0, -20, 0), flags, self.message)
            return
        for place, cell in self._cells.items():
            self._paint_cell(painter, theme, place, cell)
        self._paint_axes(painter, theme)
        self._paint_bar(painter, theme)

    def _paint_cell(
        self, painter: QPainter, theme: Theme, place: tuple[int, int], cell: Cell
    ) -> None:
        rect = self.rect_of(place).adjusted(_GAP, _GAP, -_GAP, -_GAP)
        painter.setPen(Qt.PenStyle.NoPen)
        if np.isfinite(cell.loss):
            share = self._scale.shares(np.array([cell.loss]))
            # Low losses are what is looked for: they are the light ones.
            colour = QColor(*(int(c) for c in viridis(1.0 - share)[0]))
        else:
            colour = QColor(theme.raised)
        painter.setBrush(colour)
        painter.drawRect(rect)
        text = _text(cell.loss)
        wide = painter.fontMetrics().horizontalAdvance(text) + 6
        if wide < rect.width() and painter.fontMetrics().height() < rect.height():
            ink = _DARK_INK if _luminance(colour) > _LIGHT else _LIGHT_INK
            painter.setPen(QColor(ink if np.isfinite(cell.loss) else theme.muted))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
        if self._selected.intersection(cell.runs):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 2.5))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _paint_axes(self, painter: QPainter, theme: Theme) -> None:
        assert self._outcomes is not None, "there are cells"
        frame, metrics = self._frame(), painter.fontMetrics()
        line = metrics.height()
        painter.setPen(QColor(theme.muted))
        free = frame.left()
        for n, level in enumerate(self._outcomes.levels(self._x)):
            rect, text = self.rect_of((n, 0)), value_label(level)
            wide = metrics.horizontalAdvance(text)
            left = rect.center().x() - wide / 2
            if left >= free:
                painter.drawText(QPointF(left, frame.bottom() + line), text)
                free = left + wide + 8
        levels = self._outcomes.levels(self._y) if self._y else ()
        lowest = frame.bottom() + line
        for n, level in enumerate(levels):
            middle = self.rect_of((0, n)).center().y()
            if middle <= lowest - line:
                text = metrics.elidedText(
                    value_label(level), Qt.TextElideMode.ElideMiddle, _LEFT - 26
                )
                box = QRectF(18, middle - line / 2, _LEFT - 24, line)
                painter.drawText(box, Qt.AlignmentFlag.AlignRight, text)
                lowest = middle
        painter.setPen(QColor(theme.text))
        below = QRectF(frame.left(), frame.bottom() + line + 6, frame.width(), line + 4)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, axis_label(self._x))
        if self._y:
            painter.save()
            painter.translate(4, frame.center().y())
            painter.rotate(-90)
            box = QRectF(-frame.height() / 2, 0, frame.height(), line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, axis_label(self._y))
            painter.restore()

    def _paint_bar(self, painter: QPainter, theme: Theme) -> None:
        frame, line = self._frame(), painter.fontMetrics().height()
        bar = QRectF(frame.right() + 14, frame.top(), _BAR, frame.height())
        colours = viridis(np.linspace(0.0, 1.0, max(2, int(bar.height()))))
        for n, colour in enumerate(colours):
            painter.fillRect(
                QRectF(bar.left(), bar.top() + n, _BAR, 1.5),
                QColor(*(int(c) for c in colour)),
            )
        painter.setPen(QColor(theme.muted))
        for place, share in (
            (bar.top(), 1.0),
            (bar.center().y(), 0.5),
            (bar.bottom(), 0.0),
        ):
            value = self._scale.low + share * (self._scale.high - self._scale.low)
            text = f"{10**value if self._scale.log else value:.3g}"
            middle = min(max(place, bar.top() + line / 2), bar.bottom() - line / 2)
            box = QRectF(bar.right() + 5, middle - line / 2, 52, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft, text)
        painter.setPen(QColor(theme.text))
        box = QRectF(bar.left() - 8, frame.bottom() + 6, _RIGHT, 2 * line)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, "held-out\nloss")


def _luminance(colour: QColor) -> float:
    """Return how light a colour is to the eye, 0 ... 1."""
    red, green, blue = (
        c**2.2 for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mean(losses: Array) -> float:
    """Return the mean of the known losses; NaN for none, infinite if a run diverged."""
    known = losses[~np.isnan(losses)]
    return float(known.mean()) if len(known) else float("nan")


def _text(loss: float) -> str:
    if np.isnan(loss):
        return "\N{EN DASH}"
    return f"{loss:.3g}" if np.isfinite(loss) else "diverged"
