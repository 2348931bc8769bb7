"""The picture of a bilevel problem: what is pointed at, and what is opened."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from metalab.figures.structure.model import (
    GROUPS,
    Numbers,
    PartKey,
    PartText,
    Structure,
)
from metalab.figures.structure.sentences import route_sentence
from metalab.figures.structure.words import part_texts
from metalab.ui.style.theming import current_theme
from metalab.ui.workspaces.structure.layout import (
    DiagramLayout,
    areas,
    diagram_layout,
    scaled_font,
)
from metalab.ui.workspaces.structure.painter import Marks, StructurePainter
from metalab.ui.workspaces.structure.supervised import (
    paint_supervised,
    supervised_sentence,
)
from metalab.ui.workspaces.structure.text import plain_text

_MARGIN = 6.0
_COMFORTABLE = QSize(900, 520)

_STEPS = {
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
}


class StructureDiagram(QWidget):
    """Parts that can be pointed at, walked through and opened.

    Attributes:
        group_requested: Group of the form that sets the part a person chose.
    """

    group_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._structure: Structure | None = None
        self._texts: dict[PartKey, PartText] = {}
        self._message = ""
        self._numbers = Numbers()
        self._compared = False
        self._hovered: PartKey | None = None
        self._focused: PartKey | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Structure of the bilevel problem")

    # What is shown

    @property
    def parts(self) -> tuple[PartKey, ...]:
        """What is drawn, as Tab goes."""
        return tuple(self._texts)

    @property
    def focused(self) -> PartKey | None:
        """The part that the keyboard is at."""
        return self._focused if self.hasFocus() else None

    @property
    def message(self) -> str:
        """What stands in place of a picture; "" for nothing."""
        return self._message

    def text(self, key: PartKey) -> PartText:
        """Return what stands in a part.

        Raises:
            KeyError: The part is not drawn.
        """
        return self._texts[key]

    def show_structure(
        self, structure: Structure | None, numbers: Numbers, *, message: str = ""
    ) -> None:
        """Show a structure with its numbers; None shows the message in its place."""
        self._numbers = numbers
        texts = {} if structure is None else part_texts(structure, numbers)
        shown = structure, texts, message
        if shown == (self._structure, self._texts, self._message):
            return
        self._structure, self._texts, self._message = shown
        if self._focused not in texts:
            self._focused = next(iter(texts), None)
        if self._hovered not in texts:
            self._hovered = None
        self._describe()
        self.update()

    @property
    def structure(self) -> Structure | None:
        """The structure that is drawn; None while there is a message in its place."""
        return self._structure

    @property
    def numbers(self) -> Numbers:
        """The numbers in the picture, and the outer step that they are of."""
        return self._numbers

    def set_compared(self, *, compared: bool) -> None:
        """Show ordinary supervised training beside the picture, or not."""
        self._compared = compared
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Tell who listens what is drawn, or the part that the keyboard is at."""
        self.setAccessibleDescription(
            self._message if self._structure is None else self.summary
        )

    @property
    def summary(self) -> str:
        """The whole picture in words, numbers included."""
        if self._structure is None:
            return self._message
        said = [route_sentence(self._structure)]
        if self.focused is not None:
            said.insert(0, self.describe(self.focused))
        said += [plain_text(text.plain) for text in self._texts.values()]
        if self._compared:
            said.append(supervised_sentence())
        return " ".join(entry if entry.endswith(".") else f"{entry}." for entry in said)

    def describe(self, key: PartKey) -> str:
        """Return a part and its sentence in words."""
        text = self._texts[key]
        return f"{plain_text(text.plain)}. {plain_text(text.tip)}"

    # Sizes

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return _COMFORTABLE

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the parts can be told apart."""
        return QSize(480, 280)

    def _areas(self) -> tuple[QRectF, QRectF | None]:
        whole = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        return areas(whole, self.fontMetrics().height(), compared=self._compared)

    def layout_of_parts(self) -> DiagramLayout:
        """Return where the parts are."""
        area, _ = self._areas()
        line = QFontMetricsF(scaled_font(self.font(), area)).height()
        return diagram_layout(area, line, frozenset(self._texts))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, or the message."""
        del event
        painter = QPainter(self)
        theme = current_theme()
        painter.fillRect(self.rect(), QColor(theme.surface))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._structure is None:
            painter.setPen(QColor(theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self._message)
            return
        area, other = self._areas()
        font = scaled_font(self.font(), area)
        marks = Marks(hovered=self._hovered, focused=self.focused)
        StructurePainter(self._structure, self.layout_of_parts(), theme, font).paint(
            painter, self._texts, marks
        )
        if other is not None:
            paint_supervised(painter, other, theme, font)

    # Pointing and walking

    def event(self, event: QEvent) -> bool:
        """Say what is under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().event(event)

    def _show_tip(self, event: QHelpEvent) -> None:
        key = self._part_at(event)
        if key is None:
            QToolTip.hideText()
            return
        place = self.layout_of_parts().places[key].toRect()
        QToolTip.showText(
            event.globalPos(), plain_text(self._texts[key].tip), self, place
        )

    def _part_at(self, event: QMouseEvent | QHelpEvent) -> PartKey | None:
        if self._structure is None:
            return None
        point = event.position() if isinstance(event, QMouseEvent) else event.pos()
        return self.layout_of_parts().part_at(
            QRectF(point.x(), point.y(), 0, 0).topLeft()
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the part under the pointer."""
        self._set_hovered(self._part_at(event))

    def leaveEvent(self, event: QEvent) -> None:
        """Mark nothing."""
        super().leaveEvent(event)
        self._set_hovered(None)

    def _set_hovered(self, key: PartKey | None) -> None:
        if key is not self._hovered:
            self._hovered = key
            hand = Qt.CursorShape.PointingHandCursor
            self.setCursor(Qt.CursorShape.ArrowCursor if key is None else hand)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open what sets the part that is clicked."""
        key = self._part_at(event)
        if event.button() != Qt.MouseButton.LeftButton or key is None:
            super().mousePressEvent(event)
            return
        self._set_focused(key)
        self.group_requested.emit(GROUPS[key])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk with the arrows; open with Enter."""
        key = Qt.Key(event.key())
        if key in _STEPS and self._walk(_STEPS[key]):
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._focused is not None:
            self.group_requested.emit(GROUPS[self._focused])
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001 - Qt's signature
        """Walk with Tab from part to part, and then on to other widgets."""
        return self._walk(1 if next else -1) or super().focusNextPrevChild(next)

    def _walk(self, delta: int) -> bool:
        """Go to another part; return False at either end."""
        parts = self.parts
        if self._focused is None:
            return False
        place = parts.index(self._focused) + delta
        if not 0 <= place < len(parts):
            return False
        self._set_focused(parts[place])
        return True

    def _set_focused(self, key: PartKey) -> None:
        self._focused = key
        self._describe()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Begin at the end from which Tab comes."""
        super().focusInEvent(event)
        ends = {
            Qt.FocusReason.TabFocusReason: 0,
            Qt.FocusReason.BacktabFocusReason: -1,
        }
        if event.reason() in ends and self._texts:
            self._focused = self.parts[ends[event.reason()]]
        self._describe()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self._describe()
        self.update()
