"""The status bar on the screen."""

import pytest
from PySide6.QtWidgets import QLabel, QToolButton

from metalab.engine.events import RunStarted
from metalab.runs.running.manager import Launch, RunManager
from metalab.ui.session.phase import Phase
from metalab.ui.shell.status_bar import (
    TEXT_SECONDS,
    ProgressLine,
    RunStatusBar,
    StatePill,
)
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from tests.support.fake_worker import Workshop, small_config


class Clock:
    time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bar(qtbot, clock):
    bar = RunStatusBar(now=clock)
    qtbot.addWidget(bar)
    bar.resize(1100, bar.sizeHint().height())
    bar.show()
    return bar


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def slot(workshop):
    slot = RunManager(workshop)
    slot.launch(Launch(config=small_config()))
    workshop.worker.play(4)
    slot.poll()
    return slot


def texts(bar) -> list[str]:
    labels = [label for label in bar.findChildren(QLabel) if not label.isHidden()]
    return [label.text() for label in labels]


def advance(slot, workshop):
    workshop.worker.play(2)
    slot.poll()
    return slot.history


def test_says_nothing_without_a_run_but_the_state(bar):
    bar.show_history(Phase.LOADING, None)
    assert texts(bar) == []
    assert bar.findChild(StatePill).accessibleName() == "State: Loading"


def test_numbers_change_at_a_readable_rate_and_the_state_at_once(
    bar, clock, slot, workshop
):
    bar.show_history(Phase.RUNNING, slot.history)
    first = texts(bar)
    assert first[0] == f"{slot.history.step} / 60"
    history = advance(slot, workshop)
    clock.time += TEXT_SECONDS / 2
    bar.show_history(Phase.RUNNING, history)
    assert texts(bar) == first
    bar.show_history(Phase.PAUSED, history)
    assert texts(bar)[0] == f"{history.step} / 60"
    assert bar.findChild(StatePill).accessibleName() == "State: Paused"
    clock.time += 1.1 * TEXT_SECONDS
    history = advance(slot, workshop)
    bar.show_history(Phase.PAUSED, history)
    assert texts(bar)[0] == f"{history.step} / 60"


def test_every_text_says_what_it_means(bar, slot):
    bar.show_history(Phase.RUNNING, slot.history)
    assert all(label.toolTip() for label in bar.findChildren(QLabel))


def test_the_device_says_who_computes_and_why(bar, slot, workshop):
    workshop.worker.live.set_provider_reason("no compiled kernels: the disk is full")
    workshop.worker.live.on_event(
        RunStarted(step=0, device="cpu", provider="autodiff", held_out_tasks=None), 0.0
    )
    slot.poll()
    bar.show_history(Phase.PAUSED, slot.history)
    label = next(w for w in bar.findChildren(QLabel) if w.text() == "cpu · autodiff")
    assert "automatic differentiation: no compiled kernels: the disk" in label.toolTip()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_line_is_as_long_as_the_share_that_is_done(bar, slot, workshop, theme):
    workshop.worker.play(60)
    slot.poll()
    change_theme(theme)
    bar.show_history(Phase.RUNNING, slot.history)
    line = bar.findChild(ProgressLine)
    assert line.width() == bar.width()
    picture = line.grab().toImage()
    edge = round(line.width() * slot.history.step / 60)
    assert picture.pixelColor(max(edge - 3, 0), 1).name() == theme.accent
    if edge < line.width() - 3:
        assert picture.pixelColor(edge + 3, 1).name() == theme.border
    assert "Progress" in line.accessibleName()


def test_problems_are_counted_and_can_be_clicked(bar, qtbot):
    button = bar.findChild(QToolButton)
    assert button.isHidden()
    bar.show_problems(1)
    assert button.text() == "1 problem"
    bar.show_problems(3)
    assert button.text() == "3 problems"
    with qtbot.waitSignal(bar.problems_clicked):
        button.click()
    bar.show_problems(0)
    assert button.isHidden()


def test_the_bar_keeps_its_height(bar, slot):
    heights = {bar.sizeHint().height()}
    bar.show_history(Phase.RUNNING, slot.history)
    heights.add(bar.sizeHint().height())
    bar.show_problems(2)
    heights.add(bar.sizeHint().height())
    assert len(heights) == 1


def test_everything_fits_into_the_smallest_window(bar, slot, workshop):
    workshop.worker.play(60)
    slot.poll()
    bar.show_history(Phase.RUNNING, slot.history)
    bar.show_problems(12)
    assert bar.minimumSizeHint().width() <= 1100
