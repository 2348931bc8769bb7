"""A person's way through the window, with real mouse and keys; prints what it measured.

Run on a virtual screen by `test_scenario`, and by hand for pictures:
`python -m tests.gui.scenario FOLDER light`.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget

from metalab.ui.actions.palette import CommandPalette
from metalab.ui.export.animation.dialog import AnimationDialog
from metalab.ui.shell.app import application, create_window
from metalab.ui.style.theme import THEMES
from metalab.ui.style.theming import apply_theme

WIDTH, HEIGHT = 1280, 800
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
TIMEOUT = 60.0


class Person:
    """Clicks, drags, types, looks, and takes pictures."""

    def __init__(self, folder: Path, theme: str) -> None:
        self._folder = folder
        self._theme = theme
        self.app = application()
        self.lab = create_window(self.app, welcome=True)
        self.lab.preferences.change("theme", theme)
        apply_theme(self.app, THEMES[theme])
        self.lab.start()
        self.window = self.lab.window
        self.window.resize(WIDTH, HEIGHT)
        self.film: list[QImage] = []
        self.told: dict[str, object] = {}
        # Without a window manager nobody else gives it the keys.
        self.until(self.window.isVisible, "the window")
        self.window.activateWindow()
        self.until(self.window.isActiveWindow, "the keys")

    def rest(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)

    def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.perf_counter() + TIMEOUT
        while not condition():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
            if time.perf_counter() > end:
                raise RuntimeError(f"never came: {what}")

    def look(self, name: str) -> None:
        self.rest(0.25)
        self.window.grab().save(str(self._folder / f"{name}-{self._theme}.png"))
        self.shoot()

    def shoot(self) -> None:
        self.film.append(self.window.grab().toImage())

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        QTest.mouseClick(widget, LEFT, NO_KEYS, place or widget.rect().center())
        self.rest(0.05)

    def drag(
        self, widget: QWidget, way: list[QPointF], *, filmed: bool = False
    ) -> None:
        QTest.mouseMove(widget, way[0].toPoint())
        QTest.mousePress(widget, LEFT, NO_KEYS, way[0].toPoint())
        for place in way[1:]:
            QTest.mouseMove(widget, place.toPoint())
            self.rest(0.03)
            if filmed:
                self.shoot()
        QTest.mouseRelease(widget, LEFT, NO_KEYS, way[-1].toPoint())
        self.rest(0.05)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEYS) -> None:
        QTest.keyClick(self.app.focusWidget() or self.window, key, modifier)
        self.rest(0.05)

    def open_palette(self) -> CommandPalette:
        shift = Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(self.window, Qt.Key.Key_P, CONTROL | shift)
        self.rest(0.2)
        (palette,) = self.window.findChildren(CommandPalette)
        self.until(palette.isVisible, "the palette")
        return palette

    def page(self, number: int) -> QWidget:
        QTest.keyClick(self.window, Qt.Key(Qt.Key.Key_0 + number), CONTROL)
        self.rest(0.2)
        return self.window.workspaces.current


def choose_card(me: Person) -> None:
    start = me.window.workspaces.current
    assert me.window.workspaces.current_key == "start"
    card = start.cards.cards["maml"]
    me.until(card.isEnabled, "cards")
    me.look("1-start")
    me.click(card)
    me.until(lambda: me.lab.session.training, "a run")
    assert me.window.workspaces.current_key == "adapt"
    me.until(lambda: me.lab.session.history.step > 500, "outer steps")


def drag_point(me: Person) -> None:
    page = me.window.workspaces.current
    me.until(lambda: page.answers, "curves")
    scene = page.editor.scene
    shot = int(np.abs(scene.x).argmin())
    start = page.canvas.area.position_of(float(scene.x[shot]), float(scene.y[shot]))
    before = page.answers["run"].curves
    way = [start + QPointF(2.0 * k, -5.0 * k) for k in range(13)]
    me.drag(page.canvas.area.viewport, way, filmed=True)
    me.until(lambda: not page.asking.waiting, "an answer")
    assert page.editor.scene.y[shot] > scene.y[shot]
    assert not np.array_equal(before, page.answers["run"].curves)
    me.look("2-adapt")


def scrub(me: Person) -> None:
    timeline = me.window.timeline
    inner = timeline.inner
    me.click(inner)
    me.key(Qt.Key.Key_Home)
    assert me.lab.playhead.inner_step == 0
    while me.lab.playhead.inner_step < 10:
        me.key(Qt.Key.Key_Right)
        me.shoot()
    me.key(Qt.Key.Key_Home)
    me.key(Qt.Key.Key_Right)
    assert me.lab.playhead.inner_step == 1
    me.until(lambda: me.lab.session.history.status.ended, "the end of the run")
    outer = timeline.outer
    y = outer.height() / 2
    last = me.lab.session.history.step
    way = [
        QPointF(outer.x_of(last * share), y)
        for share in (1.0, 0.5, 0.25, 0.1, 0.05, 0.0, 0.02, 0.1, 0.3)
    ]
    times = []
    QTest.mousePress(outer, LEFT, NO_KEYS, way[0].toPoint())
    steps = []
    for place in way[1:]:
        begin = time.perf_counter()
        QTest.mouseMove(outer, place.toPoint())
        me.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
        times.append(time.perf_counter() - begin)
        steps.append(me.lab.playhead.moment.wanted_step)
        me.rest(0.08)
        me.shoot()
    QTest.mouseRelease(outer, LEFT, NO_KEYS, way[-1].toPoint())
    assert 0 in steps
    me.until(lambda: me.lab.playhead.moment.exact, "the exact state")
    me.told["scrub_ms"] = 1000 * float(np.median(times))
    me.look("3-scrubbed")


def fork(me: Person) -> None:
    parent = me.lab.session.history.config_at()
    step = me.lab.playhead.moment.step
    palette = me.open_palette()
    QTest.keyClicks(me.app.focusWidget(), "preset first-order maml")
    me.rest(0.2)
    me.key(Qt.Key.Key_Return)
    me.until(lambda: not palette.isVisible(), "the choice")
    assert me.lab.session.config.name == "fomaml-sine"
    QTest.keyClick(me.window, Qt.Key.Key_F, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    me.until(lambda: me.lab.session.history.config_at() is not parent, "the fork")
    me.until(lambda: me.lab.session.history.step > step + 1000, "steps of the fork")
    assert me.lab.session.history.origin.step == step
    page = me.window.workspaces.current
    (run,) = page.starts.runs
    me.click(page.tools.overlay_box(f"run {id(run.configs.identity)}"), QPoint(8, 8))
    me.until(lambda: len(page.answers) == 2, "the overlay")
    me.look("4-forked")


def look_around(me: Person) -> None:
    page = me.page(3)
    assert me.window.workspaces.current_key == "landscape"
    me.rest(6.0)
    me.look("5-landscape")
    page = me.page(4)
    assert me.window.workspaces.current_key == "estimators"
    me.until(lambda: page.comparison is not None, "estimators")
    if page.tools.stop.isVisible():
        # The chosen K is there; along K it takes longer than a person looks.
        me.click(page.tools.stop)
    me.look("6-estimators")
    me.page(5)
    assert me.window.workspaces.current_key == "structure"
    me.look("7-structure")
    me.page(1)
    me.look("8-live")


def export_animation(me: Person) -> None:
    QTest.keyClick(me.window, Qt.Key.Key_A, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    me.rest(0.2)
    (dialog,) = me.window.findChildren(AnimationDialog)
    me.until(lambda: dialog.preview.message == "", "the preview")
    me.look("9-animation")
    dialog.grab().save(str(me._folder / f"10-dialog-{me._theme}.png"))
    target = me._folder / f"animation-{me._theme}.gif"
    dialog.dpi.setFocus()
    dialog.dpi.selectAll()
    QTest.keyClicks(dialog.dpi, "60")
    me.key(Qt.Key.Key_Tab)
    (export,) = (
        button
        for button in dialog.findChildren(QPushButton)
        if button.text() == "&Export…"
    )
    me.until(lambda: dialog.preview.message == "" and export.isEnabled(), "the preview")
    me.click(export)
    me.until(lambda: dialog.findChildren(QFileDialog), "the question for a file")
    (asked,) = dialog.findChildren(QFileDialog)
    me.until(asked.isVisible, "the question for a file")
    (name,) = asked.findChildren(QLineEdit, "fileNameEdit")
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, str(target))
    QTest.keyClick(name, Qt.Key.Key_Return)
    me.until(target.exists, "the animation")
    me.until(lambda: not dialog.running, "the end of the animation")
    assert target.stat().st_size > 1000
    dialog.reject()


def film(me: Person, path: Path) -> None:
    """Write what was seen as a GIF, half as large."""
    frames = []
    for image in me.film:
        small = image.convertToFormat(QImage.Format.Format_RGB888).scaled(
            WIDTH // 2 * 1,
            HEIGHT // 2 * 1,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        data = bytes(small.constBits())
        rows = np.frombuffer(data, np.uint8).reshape(
            small.height(), small.bytesPerLine()
        )
        pixels = rows[:, : 3 * small.width()].reshape(small.height(), small.width(), 3)
        frames.append(Image.fromarray(pixels).quantize(96))
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=220,
        loop=0,
        optimize=True,
    )


def main(folder: Path, theme: str) -> None:
    me = Person(folder, theme)
    way = (choose_card, drag_point, scrub, fork, look_around, export_animation)
    try:
        for step in way:
            step(me)
        film(me, folder / f"film-{theme}.gif")
        me.told["problems"] = [fault.message for fault in me.lab.faults.snapshot()]
    finally:
        me.lab.closer.close_unasked(me.window)
        me.lab.close()
    print(json.dumps(me.told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
