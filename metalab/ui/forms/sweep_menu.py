"""*Sweep this…* in the context menu of a form's field."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldInfo

TEXT = "Sweep this\N{HORIZONTAL ELLIPSIS}"
_FACTOR = 10.0
_NUM = 5


class SweepMenu(QObject):
    """Adds the entry to the menus of a row and of its editor.

    Attributes:
        chosen: A person chose it.
    """

    chosen = Signal()

    def __init__(self, row: QWidget, editor: QWidget) -> None:
        super().__init__(row)
        self._row = row
        line = editor if isinstance(editor, QLineEdit) else editor.findChild(QLineEdit)
        self._line = line if isinstance(line, QLineEdit) else None
        for widget in (row, editor):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the menu in the place of the editor's own, whose entries it has."""
        if not isinstance(event, QContextMenuEvent):
            return super().eventFilter(watched, event)
        of_text = watched is not self._row and self._line is not None
        menu = self._line.createStandardContextMenu() if of_text else None  # pyright: ignore[reportOptionalMemberAccess] - `of_text` says so
        menu = menu or QMenu(self._row)
        if menu.actions():
            menu.addSeparator()
        menu.addAction(TEXT).triggered.connect(self.chosen)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())
        return True


def proposed_axis(info: "FieldInfo", value: Any) -> str:
    """Return values to begin with, as a sweep's axis is written.

    Args:
        info: The setting.
        value: Its value in the form.
    """
    if info.choices:
        return ", ".join(name for name, _ in info.choices)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return str(list(value) if isinstance(value, tuple) else value)
    low, high = info.spec.low, info.spec.high
    if isinstance(value, int):
        around = (max(1, value // 2), value, 2 * value)
        fitting = [v for v in around if low is None or v >= low]
        fitting = [v for v in fitting if high is None or v <= high]
        return ", ".join(map(str, dict.fromkeys(fitting)))
    first, last = value / _FACTOR, value * _FACTOR
    first = first if low is None else max(first, low)
    last = last if high is None else min(last, high)
    scale = "log" if first > 0 else "linear"
    return f"{scale}:{first:g}:{last:g}:{_NUM}"
