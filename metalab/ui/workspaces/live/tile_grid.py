"""The grid of the gallery: what is under the pointer, what is chosen, what is new."""

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from metalab.analysis.loss_scale import LossScale
from metalab.engine.events import Curves, HeldOutTasks
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.workspaces.live.adaptation_words import task_line
from metalab.ui.workspaces.live.tile_painter import TileLayout, TilePainter, tile_layout

_MOVES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class TileGrid(QWidget):
    """One tile a task. What stands still is kept in a pixmap, the curves in another.

    Attributes:
        task_chosen: The task of a tile that a person chose, counted from 0.
    """

    task_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks: HeldOutTasks | None = None
        self._scale = LossScale.below(1.0)
        self._curves: Curves | None = None
        self._order: list[int] = []
        self._selected = 0
        self._cursor = 0
        self._hovered: int | None = None
        self._painter: TilePainter | None = None
        self._still = QPixmap()
        self._picture: QPixmap | None = None
        self._message = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Gallery of held-out tasks")
        follow_theme(self._take_theme)

    # What is shown

    @property
    def order(self) -> tuple[int, ...]:
        """The task of each tile, in reading order."""
        return tuple(self._order)

    @property
    def selected(self) -> int:
        """The chosen task."""
        return self._selected

    @property
    def keyboard_place(self) -> int:
        """The place that the keyboard is at."""
        return self._cursor

    @property
    def hovered(self) -> int | None:
        """The task under the pointer."""
        return self._hovered

    @property
    def layout_of_tiles(self) -> TileLayout:
        """Where the tiles are."""
        return tile_layout(max(1, len(self._order)), self.width(), self.height())

    @property
    def message(self) -> str:
        """Why there are no tiles; "" says nothing."""
        return self._message

    def set_message(self, text: str) -> None:
        """Say why there are no tiles; "" says nothing."""
        if text != self._message:
            self._message = text
            self.update()

    def set_scale(self, scale: LossScale) -> None:
        """Say which loss has which colour."""
        if scale != self._scale:
            self._scale = scale
            self._forget_still()

    def show_tasks(self, tasks: HeldOutTasks | None, order: list[int]) -> None:
        """Show other tasks, or the same in another order."""
        if tasks is self._tasks and order == self._order:
            return
        self._tasks, self._order = tasks, list(order)
        self._cursor = min(self._cursor, max(0, len(order) - 1))
        self._forget_still()

    def show_curves(self, curves: Curves | None) -> None:
        """Show newer curves of the same tasks."""
        if curves is not self._curves:
            self._curves = curves
            self._picture = None
            self.update()

    def set_selected(self, task: int) -> None:
        """Mark a task as the chosen one, without saying so."""
        if task != self._selected:
            self._selected = task
            if task in self._order:
                self._cursor = self._order.index(task)
            self.update()

    def _take_theme(self, _: Theme) -> None:
        self._forget_still()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(420, 260)

    def minimumSizeHint(self) -> QSize:
        """Return the size of tiles that still say something."""
        return QSize(180, 110)

    def describe(self, task: int) -> str:
        """Return a task's number, values and losses."""
        assert self._tasks is not None, "there are no tasks to describe"
        text = task_line(self._tasks, task)
        if self._curves is None:
            return text
        k = self._tasks.num_inner_steps
        before, after = (
            number_text(float(self._curves.query_loss[task, step])) for step in (0, k)
        )
        return f"{text}; query loss {before} → {after}"

    # Painting

    def _forget_still(self) -> None:
        self._painter = None
        self._picture = None
        self.update()

    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(0.85 * font.pointSizeF())
        return font

    def _make_picture(self, tasks: HeldOutTasks, ratio: float) -> QPixmap:
        """Return all tiles, without marks of the person."""
        size = self.size() * ratio
        theme = current_theme()
        if self._painter is None or self._still.size() != size:
            self._painter = TilePainter(tasks, self._scale, self.layout_of_tiles, theme)
            self._still = QPixmap(size)
            self._still.setDevicePixelRatio(ratio)
            self._still.fill(QColor(theme.surface))
            painter = QPainter(self._still)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(self._small_font())
            self._painter.paint_still(painter, self._order)
            painter.end()
        picture = QPixmap(self._still)
        if self._curves is not None:
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(self._small_font())
            self._painter.paint_moving(painter, self._order, self._curves)
            painter.end()
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the kept picture, then what the person does."""
        del event
        painter = QPainter(self)
        theme = current_theme()
        if self._tasks is None or not self._order:
            painter.fillRect(self.rect(), QColor(theme.surface))
            painter.setPen(QColor(theme.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._message)
            return
        # Not the screen's: a picture for the clipboard is sharper.
        ratio = painter.deviceTransform().m11()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = self._make_picture(self._tasks, ratio)
        painter.drawPixmap(0, 0, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layout = self.layout_of_tiles
        for place, task in enumerate(self._order):
            frame = layout.frame(place)
            if task == self._selected:
                self._paint_ring(painter, frame, theme.text, 2.4)
            elif task == self._hovered:
                self._paint_ring(painter, frame, theme.muted, 1.2)
        if self.hasFocus():
            frame = layout.frame(self._cursor)
            self._paint_ring(painter, frame, theme.accent, 2.0, outset=3.0)

    def _paint_ring(
        self,
        painter: QPainter,
        frame: QRectF,
        colour: str,
        width: float,
        *,
        outset: float = 0.5,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colour), width))
        painter.drawRoundedRect(
            frame.adjusted(-outset, -outset, outset, outset), 5.0, 5.0
        )

    # Pointer and keyboard

    def task_at(self, position: QPointF) -> int | None:
        """Return the task whose tile is at a position; None between tiles."""
        layout = self.layout_of_tiles
        for place, task in enumerate(self._order):
            if layout.frame(place).contains(position):
                return task
        return None

    def _choose(self, task: int) -> None:
        self.set_selected(task)
        self.setAccessibleDescription(self.describe(task))
        self.task_chosen.emit(task)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the tile under the pointer."""
        task = self.task_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and task is not None:
            self._choose(task)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the tile under the pointer."""
        self._hover(self.task_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the tile that was under the pointer."""
        super().leaveEvent(event)
        self._hover(None)

    def _hover(self, task: int | None) -> None:
        if task != self._hovered:
            self._hovered = task
            self.update()

    def event(self, event: QEvent) -> bool:
        """Say the values of a tile in a tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _show_tip(self, position: QPoint, screen: QPoint) -> None:
        task = self.task_at(QPointF(position))
        if task is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(screen, self.describe(task), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrows, choose with Enter."""
        if not self._order:
            super().keyPressEvent(event)
            return
        move = _MOVES.get(Qt.Key(event.key()))
        if move is not None:
            self._move_cursor(*move)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._order[self._cursor])
        else:
            super().keyPressEvent(event)

    def _move_cursor(self, across: int, down: int) -> None:
        place = self._cursor + across + down * self.layout_of_tiles.num_columns
        if 0 <= place < len(self._order):
            self._cursor = place
            self.setAccessibleDescription(self.describe(self._order[place]))
            self.update()
