"""The export dialog's parts, found as a person or a screen reader finds them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLineEdit,
)

Key = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def drawn(dialog):
    return dialog.preview.message != "Rendering…" and not dialog.debounce.isActive()


def ended(dialog):
    """Wait for the thread of a dialog that was closed; return whether it has ended."""
    return dialog.jobs._service.join(20)


def named(dialog, name, kind):
    """The widget that a screen reader calls so."""
    (found,) = [w for w in dialog.findChildren(kind) if w.accessibleName() == name]
    return found


def button(dialog, text):
    (found,) = [
        w
        for w in dialog.findChildren(QAbstractButton)
        if w.text().replace("&", "") == text
    ]
    return found


def choose(qtbot, dialog, name, text):
    """Choose an entry of a list with the keyboard."""
    box = named(dialog, name, QComboBox)
    box.setFocus()
    qtbot.keyClick(box, Key.Key_Home)
    while box.currentText() != text:
        before = box.currentIndex()
        qtbot.keyClick(box, Key.Key_Down)
        assert box.currentIndex() > before, f"no entry {text!r}"


def type_path(qtbot, dialog, text):
    line = named(dialog, "File", QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Key.Key_Delete)
    qtbot.keyClicks(line, str(text))
    return line


def redrawn(qtbot, dialog, act):
    """Do something and wait for the preview that follows."""
    key = dialog.preview.picture.cacheKey()
    act()
    qtbot.waitUntil(lambda: dialog.preview.picture.cacheKey() != key, timeout=10_000)


def wait_status(qtbot, dialog, start):
    qtbot.waitUntil(lambda: dialog.status.startswith(start), timeout=10_000)
