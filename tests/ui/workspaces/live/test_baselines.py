"""The run beside its rivals: asked by mouse and keys, told in words, given up, put away."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget

from metalab.analysis.rivals import NUM_METHODS, Doing, LeftOut, measured
from metalab.ui.style.theme import LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.workspaces.live.baselines import NO_RUN
from metalab.ui.workspaces.live.rival_row import RivalRow, verdict
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui

SECONDS = 20.0
MINE = np.linspace(0.5, 1.5, 20)
WORSE = MINE + np.linspace(0.1, 0.3, 20)


def row(title: str, losses: Any, *, mine: Any = MINE, rmse: float | None = None) -> Any:
    return measured(title, losses, rmse, mine=mine)


ROWS = (
    row("The run", MINE, mine=None, rmse=3.5),
    row("A worse one", WORSE, rmse=4.0),
    LeftOut(title="A process", reason="32 functions of each of 3 inputs are too many"),
)


class Rivals:
    """Stands for what computes: a row is there once a test says so.

    Attributes:
        rows: What is found.
        may_go_on: Whether the next row may be made.
        ended: The computation has come to its end, in whatever way.
    """

    def __init__(self) -> None:
        self.rows: tuple[Any, ...] = ROWS
        self.error: Exception | None = None
        self.may_go_on = threading.Semaphore(0)
        self.ended = threading.Event()
        self.asked: list[Any] = []

    def __call__(
        self, config: Any, state: Any, *, tell: Callable[[Doing], None], **_: Any
    ) -> Iterator[Any]:
        self.ended.clear()
        self.asked.append((config, state))
        try:
            for number, found in enumerate(self.rows):
                doing = Doing(title=found.title, step=1_000 + number, num_steps=2_000)
                tell(doing)
                while not self.may_go_on.acquire(timeout=0.01):
                    tell(doing)
                yield found
            if self.error is not None:
                raise self.error
        finally:
            self.ended.set()

    def let(self, count: int) -> None:
        """Let so many rows be made."""
        self.may_go_on.release(count)


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> Rivals:
    found = Rivals()
    name = "metalab.analysis.baselines.compare_with_baselines"
    monkeypatch.setattr(name, found)
    return found


@pytest.fixture
def ran(lab, workshop):
    """Return a window that shows a run, on its Live page."""
    lab.window.workspaces.show_page("live")
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    until_shown(lab)
    return lab


def until_shown(lab) -> None:
    for _ in range(3):
        lab.clock.tick()


def view_of(lab):
    return lab.window.live.baselines


def click(button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def opened(lab):
    lab.actions["show_baselines"].trigger()
    return view_of(lab)


def test_the_keys_open_it_and_enter_compares(ran, rivals, qtbot):
    window, view = ran.window, view_of(ran)
    window.activateWindow()
    assert not view.isVisible()
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_Y, keys)
    assert view.isVisible()
    assert ran.actions["show_baselines"].isChecked()
    assert "It takes a minute or two" in view.message
    qtbot.waitUntil(view.start.hasFocus)
    QTest.keyClick(view.start, Qt.Key.Key_Return)
    assert view.comparing
    rivals.let(3)
    qtbot.waitUntil(lambda: not view.comparing)
    ((config, state),) = rivals.asked
    assert config == small_config()
    assert state.step == ran.session.history.step


def test_the_palette_finds_it_by_what_people_call_it(ran):
    ran.window.open_palette()
    palette = ran.window.command_palette
    for words in ("compare with baselines", "mixed model", "baselines"):
        palette._edit.setText(words)
        assert any("Baselines" in text for text in shown_in(palette)), words
    QTest.keyClick(palette._edit, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def shown_in(palette) -> list[str]:
    model = palette._list.model()
    return [str(model.index(n, 0).data()) for n in range(model.rowCount())]


def test_rows_come_one_by_one_with_words_of_what_is_done(ran, rivals, qtbot):
    view = opened(ran)
    click(view.start)
    assert view.cancel.isVisible()
    assert not view.start.isVisible()
    words = "The run: training, outer step 1,000 of 2,000"
    qtbot.waitUntil(lambda: view.state.text() == words)
    rivals.let(1)
    qtbot.waitUntil(lambda: len(view.rows) == 1)
    first = view.rows[0]
    words = "A worse one: training, outer step 1,001 of 2,000"
    qtbot.waitUntil(lambda: view.state.text() == words)
    assert view.bar.value() > 1_000 / NUM_METHODS
    rivals.let(2)
    qtbot.waitUntil(lambda: not view.comparing)
    assert view.rows[0] is first
    assert [row.texts[0] for row in view.rows] == [found.title for found in ROWS]
    assert view.header.title.startswith(f"Outer step {ran.session.history.step:,}, ")
    assert "95 % intervals over tasks" in view.state.text()
    # The moment that is shown has been compared.
    assert not view.start.isVisible()
    assert not view.bar.isVisible()


def test_it_can_be_cancelled_and_asked_again(ran, rivals, qtbot):
    view = opened(ran)
    click(view.start)
    rivals.let(1)
    qtbot.waitUntil(lambda: len(view.rows) == 1)
    click(view.cancel)
    assert not view.comparing
    assert view.state.text() == "Cancelled before all were measured."
    assert rivals.ended.wait(SECONDS)
    assert len(view.rows) == 1
    assert view.start.text() == "Compare again"
    click(view.start)
    assert view.rows == []
    rivals.let(3)
    qtbot.waitUntil(lambda: len(view.rows) == 3)


def test_what_cannot_be_compared_says_why(ran, rivals, qtbot):
    rivals.rows, rivals.error = (), ValueError("there is no held-out task")
    view = opened(ran)
    click(view.start)
    words = "It cannot be compared: there is no held-out task"
    qtbot.waitUntil(lambda: view.state.text() == words)
    assert view.start.isVisible()


def test_without_a_run_the_button_is_off_and_says_so(lab):
    lab.window.workspaces.show_page("live")
    view = opened(lab)
    until_shown(lab)
    assert not view.start.isEnabled()
    assert view.start.toolTip() == view.state.text() == NO_RUN


def test_a_run_that_goes_on_can_be_compared_again(ran, workshop, rivals, qtbot):
    view = opened(ran)
    click(view.start)
    rivals.let(3)
    qtbot.waitUntil(lambda: not view.comparing)
    workshop.worker.play(4)
    until(qtbot, ran, view.start.isVisible)
    assert view.start.text() == "Compare again"
    assert len(view.rows) == 3


def test_another_run_takes_the_comparison_away(ran, workshop, rivals, qtbot):
    view = opened(ran)
    click(view.start)
    rivals.let(1)
    qtbot.waitUntil(lambda: len(view.rows) == 1)
    workshop.worker.end()
    until_shown(ran)
    ran.session.start()
    until(qtbot, ran, lambda: len(workshop.workers) == 2)
    workshop.worker.play(6)
    until(qtbot, ran, lambda: not view.rows)
    assert not view.comparing
    assert rivals.ended.wait(SECONDS)


def test_the_window_closes_during_a_comparison(ran, rivals, qtbot):
    """`no_leaks` sees to it that the thread ends."""
    view = opened(ran)
    click(view.start)
    qtbot.waitUntil(lambda: bool(rivals.asked))
    ran.close()
    assert rivals.ended.is_set()


def test_a_row_says_mean_interval_and_difference(qtbot):
    one = RivalRow(ROWS[1], unit="lifeExp")
    qtbot.addWidget(one)
    title, loss, rmse, difference, words = one.texts
    assert title == "A worse one"
    assert loss.startswith("Loss 1.20  [")
    assert rmse == "RMSE 4.00 lifeExp"
    assert difference.startswith("Difference +0.200  [+0.1")
    assert words == "Run better, ahead on 20 of 20 tasks"
    assert one.accessibleName() == ". ".join(one.texts)


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (MINE - 0.1 - MINE / 50, "Run worse, ahead on 0 of 20 tasks"),
        (
            MINE + 0.1 * (-1.0) ** np.arange(20),
            "No clear difference. Run ahead on 10 of 20 tasks",
        ),
        (
            MINE + np.eye(20)[0] * 1e6,
            "No interval: a few tasks outweigh the others. Run ahead on 1 of 20 tasks",
        ),
    ],
)
def test_the_verdict_goes_by_the_interval(losses, words):
    assert verdict(row("Another", losses)) == words


def test_the_scale_of_the_strips_is_common_and_the_dot_is_where_it_belongs(
    ran, rivals, qtbot
):
    rivals.rows = (ROWS[0], ROWS[1], row("Far", MINE + 2 + MINE / 10))
    view = opened(ran)
    click(view.start)
    rivals.let(3)
    qtbot.waitUntil(lambda: len(view.rows) == 3)
    near, far = (one.strip for one in view.rows[1:])
    frame = QRectF(0, 0, 200, 10)
    assert near._place(0.0, frame) == far._place(0.0, frame) == 100
    assert 100 < near._place(near._row.difference, frame) < 115
    assert far._place(far._row.high, frame) == pytest.approx(200)


def test_the_figures_are_copied_as_a_picture(ran, rivals, qtbot, qapp):
    change_theme(LIGHT)
    view = opened(ran)
    click(view.start)
    rivals.let(3)
    qtbot.waitUntil(lambda: not view.comparing)
    qapp.clipboard().clear()
    click(view.header.copy)
    assert not qapp.clipboard().image().isNull()


def test_reset_layout_puts_the_dock_away(ran):
    view = opened(ran)
    assert ran.window.findChild(QDockWidget, "baselines").isVisible()
    ran.actions["reset_layout"].trigger()
    assert not view.isVisible()
    assert not ran.actions["show_baselines"].isChecked()
