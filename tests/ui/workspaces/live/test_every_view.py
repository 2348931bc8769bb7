"""Every view takes every history, in every theme, and paints it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QSlider,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from metalab.engine.events import Diverged
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus
from metalab.ui.style.theme import DARK, LIGHT, Theme
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.live.adaptation import AdaptationView
from metalab.ui.workspaces.live.diagnostics import DiagnosticsView
from metalab.ui.workspaces.live.gallery import GalleryView
from metalab.ui.workspaces.live.inner_loss import InnerLossView
from metalab.ui.workspaces.live.outer_loss import OuterLossView
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from tests.support.histories import (
    banded,
    make_config,
    make_history,
    starting,
    with_diagnostics,
    with_gaps,
)

VIEWS = (
    OuterLossView,
    AdaptationView,
    InnerLossView,
    GalleryView,
    DiagnosticsView,
    LiveWorkspace,
)

HISTORIES: dict[str, Callable[[], RunHistory | None]] = {
    "none": lambda: None,
    "starting": starting,
    "tasks only": lambda: make_history(0, num_evaluations=0, curves=None),
    "probed": lambda: make_history(0, num_evaluations=1),
    "one point": lambda: make_history(1),
    "two points": lambda: make_history(2),
    "running": lambda: make_history(300),
    "with band and diagnostics": lambda: with_diagnostics(
        make_history(300, curves=banded(make_config())), 7
    ),
    "finished": lambda: make_history(300, status=RunStatus.FINISHED),
    "failed early": lambda: replace(starting(), status=RunStatus.FAILED),
    "long": lambda: make_history(200_000),
    "nan": lambda: with_gaps(make_history(300), np.nan),
    "infinite": lambda: with_gaps(make_history(300), np.inf),
    "zero": lambda: with_gaps(make_history(300), 0.0),
    "far away": lambda: with_gaps(make_history(300), -1e30),
    "many inner steps": lambda: make_history(50, config=make_config(k=60, last=300)),
    "no steps beyond K": lambda: make_history(50, config=make_config(k=5, last=5)),
    "diverged": lambda: make_history(
        300,
        status=RunStatus.PAUSED,
        diverged=Diverged(
            step=310, last_good_step=300, quantity="outer_loss", value=1e12
        ),
    ),
}


class PaintWatcher(QObject):
    """Counts paintings."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture(params=VIEWS, ids=lambda view: view.__name__)
def view(request: pytest.FixtureRequest, qtbot: QtBot) -> QWidget:
    made = request.param()
    qtbot.addWidget(made)
    made.resize(600, 420)
    made.show()
    return made


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.sampled(5)
def test_every_history_is_painted(view, name: str):
    view.show_history(HISTORIES[name]())
    assert not view.grab().isNull()
    view.show_history(HISTORIES[name]())
    assert not view.grab().isNull()


@pytest.mark.sampled(3)
def test_any_history_may_follow_any_other(view):
    made = {name: make() for name, make in HISTORIES.items()}
    rng = np.random.default_rng(0)
    for name in rng.choice(list(made), size=40):
        view.show_history(made[str(name)])
        view.repaint()
    view.show_history(None)
    assert not view.grab().isNull()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_theme_is_seen(view, theme: Theme):
    # As high as none of them scrolls, for a scroll bar has the application's colours.
    view.resize(1000, 700)
    view.show_history(make_history(300))
    change_theme(theme)
    # A part that scrolls takes its size at the next turn.
    QApplication.processEvents()
    image = view.grab().toImage()
    right, bottom = image.width() - 2, image.height() - 2
    corners = {image.pixelColor(x, y).name() for x in (1, right) for y in (1, bottom)}
    assert corners == {theme.surface}


def test_the_same_history_is_not_painted_again(view, qtbot):
    history = make_history(300)
    watcher = PaintWatcher()
    view.show_history(history)
    QApplication.processEvents()
    for part in view.findChildren(QWidget):
        if part.isVisible():
            part.installEventFilter(watcher)

    def show_again() -> int:
        before = watcher.count
        view.show_history(replace(history))
        qtbot.wait(40)
        return watcher.count - before

    # Plots take turns, and parts that scroll take their size a turn later: then no more.
    rounds = [show_again() for _ in range(10)]
    assert rounds[-5:] == [0] * 5


def test_it_says_in_words_what_it_shows(view):
    view.show_history(with_diagnostics(make_history(300), 3))
    named = [
        part
        for part in view.findChildren(QWidget)
        if part.accessibleName() and part.accessibleDescription()
    ]
    said = " ".join(part.accessibleDescription() for part in named)
    assert ("norm" if isinstance(view, DiagnosticsView) else "loss") in said


def test_everything_for_the_keyboard_has_a_name_and_a_tip(view):
    kinds = (QAbstractButton, QSlider, QComboBox, QSpinBox)
    for kind in kinds:
        for part in view.findChildren(kind):
            if part.objectName().startswith("qt_"):
                continue
            assert part.focusPolicy() & Qt.FocusPolicy.TabFocus, part
            assert part.accessibleName() or part.text(), part
            assert part.toolTip(), part
