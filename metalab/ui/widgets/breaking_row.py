"""A row of controls that becomes two where they would be cut off."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

_SPACING = 6


class BreakingRow(QWidget):
    """Two groups of controls: at the two ends of a row, or one above the other."""

    def __init__(
        self,
        left: Sequence[QWidget],
        right: Sequence[QWidget],
        parent: QWidget | None = None,
    ) -> None:
        """Lay out two groups.

        Args:
            left: Always in the first row.
            right: At the end of the first row, or in the second one.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._groups = tuple(left), tuple(right)
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        for row in (self._first, self._second):
            row.setSpacing(_SPACING)
            rows.addLayout(row)
        for part in left:
            self._first.addWidget(part)
        self._first.addStretch(1)
        for part in right:
            self._first.addWidget(part)

    @property
    def broken(self) -> bool:
        """Whether there are two rows."""
        return self._second.count() > 0

    def minimumSizeHint(self) -> QSize:
        """Return the width of the wider group: more is not needed."""
        height = super().minimumSizeHint().height()
        return QSize(max(map(_width, self._groups)), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break, or join again."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Follow parts that come and go."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        left, right = self._groups
        # The stretch between them has a spacing of its own.
        needed = _width(left) + 2 * _SPACING + _width(right)
        if (needed > self.width()) == self.broken:
            return
        row = self._first if self.broken else self._second
        for part in right:
            row.addWidget(part)
        if row is self._second:
            row.addStretch(1)
        else:
            self._second.takeAt(0)


def _width(parts: Sequence[QWidget]) -> int:
    """Return what visible parts need side by side."""
    widths = [part.minimumSizeHint().width() for part in parts if not part.isHidden()]
    return sum(widths) + _SPACING * max(0, len(widths) - 1)
