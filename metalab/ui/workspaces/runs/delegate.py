"""Paints what is no text in the table of runs: colour, state, loss and adaptation."""

import colorsys
import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from metalab.engine.events import Array
from metalab.runs.library.entry import RunEntry
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.runs.columns import LOSS, NAME, PICTURE, STATE, Row
from metalab.ui.workspaces.runs.model import PICTURE_ROLE, ROW_ROLE, RunTableModel

_Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 34
_AIR = 5.0
_INDENT = 16
_SWATCH = 10.0
_ROOM = _SWATCH + 2 * _AIR
"""Width of the mark before a name or a state."""
_MARK = 8.0
_LINE = 1.4
_POINT = 1.8

_COLOURS: Mapping[str, tuple[str, str]] = {
    "blue": ("#56b4e9", "#0072b2"),
    "orange": ("#f08a3c", "#c04c00"),
    "green": ("#35c79b", "#008a63"),
    "yellow": ("#f0c244", "#b98300"),
    "sky": ("#9ad7ff", "#3a8fc4"),
    "red": ("#ff7a6b", "#c0321f"),
    "purple": ("#d99bc4", "#a04f83"),
    "grey": ("#a0a8b5", "#565e6c"),
}
"""Colours of runs by name, on dark and on light ground."""


def run_colour(entry: RunEntry, theme: Theme) -> QColor:
    """Return the colour of a run: a person's, or one that its experiment always has.

    Replicates have the same one, and keep it whatever else a list holds.
    """
    chosen = _COLOURS.get(entry.labels.colour)
    if chosen is not None:
        return QColor(chosen[0 if theme.dark else 1])
    if not entry.group:
        return QColor(theme.muted)
    try:
        number = int(entry.group[:8], 16)
    except ValueError:
        number = sum(map(ord, entry.group))
    light, strong = (0.68, 0.55) if theme.dark else (0.42, 0.6)
    red, green, blue = colorsys.hls_to_rgb((number % 360) / 360, light, strong)
    return QColor.fromRgbF(red, green, blue)


def colour_named(name: str, theme: Theme) -> QColor:
    """Return one of the colours that a person may choose."""
    return QColor(_COLOURS[name][0 if theme.dark else 1])


class RunDelegate(QStyledItemDelegate):
    """Paints the cells of the table of runs."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return the size of a cell: as high as a thumbnail needs."""
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), ROW_HEIGHT))

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        """Point out the run in the window, and what is of less weight."""
        super().initStyleOption(option, index)
        row: Row | None = index.data(ROW_ROLE)
        model = index.model()
        if row is None or not isinstance(model, RunTableModel):
            return
        column = model.columns[index.column()]
        key, theme = column.key, current_theme()
        if column.number:
            # Room between a number and the text of the next column.
            option.text = f"{option.text}\N{EN SPACE}"  # pyright: ignore[reportAttributeAccessIssue]
        if key == NAME:
            # Fusion fills a box with the colour of the table, on which it is not seen.
            option.palette.setColor(option.palette.ColorRole.Base, QColor(theme.box))  # pyright: ignore[reportAttributeAccessIssue]
        muted = row.entry.problem or row.entry.labels.archived
        if muted or key == "note":
            option.palette.setColor(option.palette.ColorRole.Text, QColor(theme.muted))  # pyright: ignore[reportAttributeAccessIssue] - the stubs lack the option's fields
        if key == NAME and model.is_open(row):
            option.font.setBold(True)  # pyright: ignore[reportAttributeAccessIssue]

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        """Paint a cell."""
        row: Row | None = index.data(ROW_ROLE)
        model = index.model()
        if row is None or not isinstance(model, RunTableModel):
            super().paint(painter, option, index)
            return
        key = model.columns[index.column()].key
        if key in (NAME, STATE):
            self._paint_marked(painter, option, index, row, key)
            return
        super().paint(painter, option, index)
        if key not in (LOSS, PICTURE):
            return
        area = _rect_of(option).adjusted(_AIR, _AIR, -_AIR, -_AIR)
        ink = _ink(option)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if key == LOSS:
            colour = run_colour(row.entry, current_theme()) if ink is None else ink
            for entry in row.entries:
                _paint_sparkline(painter, area, entry, colour)
        else:
            arrays = index.data(PICTURE_ROLE)
            if arrays is not None:
                _paint_adaptation(painter, area, arrays, ink)
        painter.restore()

    def _paint_marked(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: _Index,
        row: Row,
        key: str,
    ) -> None:
        """Paint a text with a mark before it: the run's colour, or its state."""
        whole = QStyleOptionViewItem(option)
        self.initStyleOption(whole, index)
        style = _style_of(option)
        # Ground and selection reach over the whole cell, the text stands to the right.
        bare = QStyleOptionViewItem(option)
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem,
            bare,
            painter,
            _widget_of(option),
        )
        area = _rect_of(option)
        indent = _indent_of(row, key)
        mark = QRectF(area.left() + indent, area.top(), _ROOM, area.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if key == NAME:
            _paint_swatch(painter, mark, row, open_group=self._is_open(index, row))
        else:
            _paint_state(painter, mark, row, _ink(option))
        painter.restore()
        super().paint(painter, self._behind_mark(option, index), index)

    def _behind_mark(
        self, option: QStyleOptionViewItem, index: _Index
    ) -> QStyleOptionViewItem:
        """Return the option of what stands to the right of a cell's mark, if it has one."""
        row: Row | None = index.data(ROW_ROLE)
        model = index.model()
        if row is None or not isinstance(model, RunTableModel):
            return option
        key = model.columns[index.column()].key
        if key not in (NAME, STATE):
            return option
        moved = QStyleOptionViewItem(option)
        moved.rect = option.rect.adjusted(round(_indent_of(row, key) + _ROOM), 0, 0, 0)  # pyright: ignore[reportAttributeAccessIssue]
        return moved

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: _Index,
    ) -> bool:
        """Take a click on the box where the box is painted."""
        return super().editorEvent(
            event, model, self._behind_mark(option, index), index
        )

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        """Put the field of a name over the name."""
        super().updateEditorGeometry(editor, self._behind_mark(option, index), index)

    def _is_open(self, index: _Index, row: Row) -> bool:
        model = index.model()
        return (
            isinstance(model, RunTableModel)
            and row.group is not None
            and row.group.key in model.view.open_groups
        )


def _indent_of(row: Row, key: str) -> int:
    return _INDENT if row.within and key == NAME else 0


def _rect_of(option: QStyleOptionViewItem) -> QRectF:
    return option.rect.toRectF()  # pyright: ignore[reportAttributeAccessIssue] - the stubs lack the option's fields


def _widget_of(option: QStyleOptionViewItem) -> QWidget | None:
    return option.widget  # pyright: ignore[reportAttributeAccessIssue]


def _style_of(option: QStyleOptionViewItem) -> QStyle:
    widget = _widget_of(option)
    return QApplication.style() if widget is None else widget.style()


def _ink(option: QStyleOptionViewItem) -> QColor | None:
    """Return the colour of everything in a selected cell; None for an ordinary one."""
    if not option.state & QStyle.StateFlag.State_Selected:  # pyright: ignore[reportAttributeAccessIssue]
        return None
    return QColor(current_theme().on_accent)


def _paint_swatch(
    painter: QPainter, area: QRectF, row: Row, *, open_group: bool
) -> None:
    """Paint a run's colour as a disc, that of replicates as a triangle to open."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(run_colour(row.entry, current_theme()))
    middle, half = area.center(), _SWATCH / 2
    if row.group is None:
        painter.drawEllipse(middle, half - 0.5, half - 0.5)
        return
    if open_group:
        corners = ((-half, -half / 2), (half, -half / 2), (0.0, half * 0.8))
    else:
        corners = ((-half / 2, -half), (half * 0.8, 0.0), (-half / 2, half))
    painter.drawPolygon([middle + QPointF(*corner) for corner in corners])


def _paint_state(painter: QPainter, area: QRectF, row: Row, ink: QColor | None) -> None:
    """Paint a mark whose form tells the state as well as its colour does."""
    theme = current_theme()
    states = {entry.state for entry in row.entries}
    state = states.pop() if len(states) == 1 else "mixed"
    colour = ink or QColor(_role(theme, state))
    middle, half = area.center(), _MARK / 2
    painter.setPen(QPen(colour, 1.6))
    painter.setBrush(colour)
    if state == "running":
        points = ((-half * 0.7, -half), (half, 0.0), (-half * 0.7, half))
        painter.drawPolygon([middle + QPointF(*p) for p in points])
    elif state == "finished":
        points = ((-half, 0.2), (-half * 0.25, half * 0.8), (half, -half * 0.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline([middle + QPointF(*p) for p in points])
    elif state in ("diverged", "failed", "unreadable"):
        d = half * 0.8
        painter.drawLine(middle + QPointF(-d, -d), middle + QPointF(d, d))
        painter.drawLine(middle + QPointF(-d, d), middle + QPointF(d, -d))
    elif state == "stopped":
        d = half * 0.75
        painter.drawRect(QRectF(middle.x() - d, middle.y() - d, 2 * d, 2 * d))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, half * 0.85, half * 0.85)


def _role(theme: Theme, state: str) -> str:
    roles = {
        "running": theme.accent,
        "finished": theme.good,
        "diverged": theme.error,
        "failed": theme.error,
        "cut short": theme.warning,
        "unreadable": theme.error,
    }
    return roles.get(state, theme.muted)


def _paint_sparkline(
    painter: QPainter, area: QRectF, entry: RunEntry, colour: QColor
) -> None:
    """Paint losses from left to right on a logarithmic scale of their own."""
    logs = [
        math.log10(loss) if 0 < loss < math.inf else math.nan for loss in entry.losses
    ]
    known = [value for value in logs if not math.isnan(value)]
    if not known:
        return
    low, high = min(known), max(known)
    # A loss that hardly moves is a flat line in the middle, not noise enlarged.
    spread = max(high - low, 0.05)
    middle = (low + high) / 2
    width = max(len(logs) - 1, 1)
    points = [
        QPointF(
            area.left() + area.width() * i / width,
            area.center().y() - area.height() * (value - middle) / spread,
        )
        for i, value in enumerate(logs)
        if not math.isnan(value)
    ]
    pen = QPen(colour, _LINE)
    if not entry.held_out:
        pen.setStyle(Qt.PenStyle.DotLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if len(points) > 1:
        painter.drawPolyline(points)
    painter.setBrush(colour)
    painter.drawEllipse(points[-1], _POINT, _POINT)


def _paint_adaptation(
    painter: QPainter,
    area: QRectF,
    arrays: Mapping[str, Array],
    ink: QColor | None,
) -> None:
    """Paint a task before and after its adaptation, with what it was adapted to."""
    theme = current_theme()
    names = [name for name in ("before", "after", "truth") if name in arrays]
    values = [float(v) for name in (*names, "support_y") for v in arrays[name]]
    low, high = min(values), max(values)
    x = arrays["x"]
    left, right = float(x.min()), float(x.max())
    scale_x = area.width() / max(right - left, 1e-9)
    scale_y = area.height() / max(high - low, 1e-9)

    def places(
        xs: Sequence[float] | Array, ys: Sequence[float] | Array
    ) -> list[QPointF]:
        return [
            QPointF(
                area.left() + (float(a) - left) * scale_x,
                area.bottom() - (float(b) - low) * scale_y,
            )
            for a, b in zip(xs, ys, strict=True)
        ]

    painter.setBrush(Qt.BrushStyle.NoBrush)
    if "truth" in arrays:
        truth = QPen(ink or QColor(theme.muted), 1.0)
        truth.setDashPattern((3.0, 2.0))
        painter.setPen(truth)
        painter.drawPolyline(places(x, arrays["truth"]))
    faint = QColor(ink or QColor(theme.before))
    faint.setAlphaF(0.7)
    painter.setPen(QPen(faint, 1.0))
    painter.drawPolyline(places(x, arrays["before"]))
    painter.setPen(QPen(ink or QColor(theme.after), _LINE))
    painter.drawPolyline(places(x, arrays["after"]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink or QColor(theme.support))
    for place in places(arrays["support_x"], arrays["support_y"]):
        painter.drawEllipse(place, _POINT * 0.8, _POINT * 0.8)
