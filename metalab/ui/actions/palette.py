"""The command palette: everything that can be done, found by some of its letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.actions.palette_rows import PaletteDelegate, PaletteEntry, PaletteModel
from metalab.ui.actions.table import MENUS
from metalab.ui.widgets.plain_text import plain_label

if TYPE_CHECKING:
    from metalab.ui.actions.action_set import ActionSet
    from metalab.ui.forms.experiment_form import ExperimentForm

PALETTE = "palette"
"""Key of the action that opens the palette; it is not among its own entries."""

_MOST_RECENT = 8
_MOST_ROWS = 12
_WIDTH_IN_LETTERS = 78
_EDGE = 8
_LIST_KEYS = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)


class CommandPalette(QWidget):
    """A line to type in and what it finds, over the top of a window.

    Up, Down and the page keys move, Enter does what is marked, Escape closes. It closes
    before anything is done, so that this finds the focus where it was.

    Attributes:
        used: Something was done; `recent` has changed.
    """

    used = Signal(str)

    def __init__(self, window: QWidget) -> None:
        """Make a closed palette.

        Args:
            window: What it opens over.
        """
        super().__init__(window, Qt.WindowType.Popup)
        self._window = window
        self._recent: tuple[str, ...] = ()
        self._edit = QLineEdit(self)
        self._list = QListView(self)
        self._model = PaletteModel(self)
        self._nothing = QLabel(self)
        self._pages = QStackedWidget(self)
        # Fonts follow the window's, also while that presents.
        self.setAttribute(Qt.WidgetAttribute.WA_WindowPropagation)
        self.setAccessibleName("Command palette")
        self._set_up_edit()
        self._set_up_list()
        self._lay_out()

    def _set_up_edit(self) -> None:
        self._edit.setPlaceholderText("Type a command or a setting")
        self._edit.setAccessibleName("Command")
        self._edit.setClearButtonEnabled(False)
        self._edit.installEventFilter(self)
        self._edit.textChanged.connect(self._on_text_changed)

    def _set_up_list(self) -> None:
        view = self._list
        view.setModel(self._model)
        view.setItemDelegate(PaletteDelegate(view))
        view.setAccessibleName("Commands found")
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setUniformItemSizes(True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.clicked.connect(self._on_clicked)
        view.selectionModel().currentChanged.connect(self._on_current_changed)

    def _lay_out(self) -> None:
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setEnabled(False)
        self._pages.addWidget(self._list)
        self._pages.addWidget(self._nothing)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, _EDGE, _EDGE, _EDGE)
        column.setSpacing(_EDGE)
        column.addWidget(self._edit)
        column.addWidget(self._pages, 1)

    @property
    def recent(self) -> tuple[str, ...]:
        """Keys of what was used, the last first."""
        return self._recent

    def set_recent(self, keys: Sequence[str]) -> None:
        """Take what was used, the last first; keys of nothing do no harm."""
        self._recent = tuple(keys)[:_MOST_RECENT]

    @property
    def titles(self) -> list[str]:
        """What is listed, in order."""
        rows = range(self._model.rowCount())
        return [self._model.entry(self._model.index(row)).title for row in rows]

    def open_with(self, entries: Sequence[PaletteEntry]) -> None:
        """Open over the top centre of the window, with nothing typed.

        Args:
            entries: In the order of their menus.
        """
        self._model.set_entries(entries, self._recent)
        self._edit.clear()
        self._on_text_changed("")
        size = self._fitting_size()
        left = (self._window.width() - size.width()) // 2
        top = self._window.height() // 12
        self.resize(size)
        self.move(self._window.mapToGlobal(QPoint(left, top)))
        self.show()
        self._edit.setFocus(Qt.FocusReason.PopupFocusReason)

    def _fitting_size(self) -> QSize:
        self.ensurePolished()
        row = self._list.sizeHintForRow(0)
        rows = min(max(self._model.rowCount(), 1), _MOST_ROWS)
        height = self._edit.sizeHint().height() + rows * row + 4 * _EDGE
        width = _WIDTH_IN_LETTERS * self.fontMetrics().averageCharWidth()
        # A window without room for its frame is no reason to be wider than it.
        return QSize(width, height).boundedTo(self._window.size() - QSize(40, 40))

    def _on_text_changed(self, letters: str) -> None:
        self._model.find(letters)
        found = self._model.rowCount() > 0
        text = f"Nothing is called “{letters}”"
        self._nothing.setText("" if found else text)
        self._pages.setCurrentWidget(self._list if found else self._nothing)
        if found:
            self._list.setCurrentIndex(self._model.index(0))
        else:
            self._edit.setAccessibleDescription(text)

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        """Say what is marked to who cannot see it: the focus stays in the line."""
        if index.isValid():
            words = str(index.data(Qt.ItemDataRole.AccessibleTextRole))
            self._edit.setAccessibleDescription(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a line around it, for nothing else sets it off from the window."""
        del event
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that move, choose and close, before the line does."""
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                # Whoever types a command's name means no shortcut of the window.
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and self._took_key(event):
                # At an end of the list, the list would pass it on to the window.
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def _took_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _LIST_KEYS:
            QApplication.sendEvent(self._list, event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            return False
        return True

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        if not index.isValid() or self._pages.currentWidget() is not self._list:
            return
        entry = self._model.entry(index)
        if not entry.enabled:
            return
        self.close()
        others = [key for key in self._recent if key != entry.key]
        self.set_recent([entry.key, *others])
        self.used.emit(entry.key)
        entry.run()


def action_entries(actions: "ActionSet") -> list[PaletteEntry]:
    """Return an entry for every action of a window but the palette itself."""
    return [
        _entry(
            action,
            key=spec.key,
            detail=plain_label(MENUS[spec.menu]),
            synonyms=tuple(synonym for synonym in spec.synonyms),
        )
        for spec, action in actions.all()
        if spec.key != PALETTE
    ]


def menu_entries(
    menu: QMenu, *, prefix: str, names: Mapping[str, tuple[str, ...]] | None = None
) -> list[PaletteEntry]:
    """Return an entry for everything in a menu and its submenus, under its title.

    Args:
        menu: Its actions have object names; headings and lines have none.
        prefix: Before the object names, to make unique keys of them.
        names: What else actions are called, by object name.
    """
    detail = plain_label(menu.title())
    return [
        _entry(
            action,
            key=f"{prefix}:{action.objectName()}",
            detail=detail,
            synonyms=(names or {}).get(action.objectName(), ()),
        )
        for action in _leaves(menu)
        if action.objectName() and not action.isSeparator()
    ]


def _leaves(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        below = cast("QMenu | None", action.menu())
        if below is None:
            yield action
        else:
            yield from _leaves(below)


def setting_entries(
    form: "ExperimentForm", reveal: Callable[[str], None]
) -> list[PaletteEntry]:
    """Return an entry for every setting of a form, found by all of its names.

    Args:
        form: Its settings.
        reveal: Shows the setting with a path.
    """
    return [
        PaletteEntry(
            key=f"setting:{path}",
            title=info.spec.label,
            detail=f"Setting, {form.group(info.group).title}",
            run=partial(reveal, path),
            synonyms=info.names[1:],
        )
        for path in form.paths
        for info in (form.row(path).info,)
    ]


def _entry(
    action: QAction, *, key: str, detail: str, synonyms: tuple[str, ...] = ()
) -> PaletteEntry:
    why_not = ""
    if not action.isEnabled():
        # The tooltip of what is off: what it would do, then why it would not.
        why_not = action.toolTip().split("\n")[-1]
    native = QKeySequence.SequenceFormat.NativeText
    return PaletteEntry(
        key=key,
        title=plain_label(action.text()),
        detail=detail,
        run=action.trigger,
        shortcut=action.shortcut().toString(native),
        why_not=why_not,
        synonyms=synonyms,
    )
