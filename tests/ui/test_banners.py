"""What needs a decision, said above the workspace."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from metalab.runs.faults import FaultLog
from metalab.runs.slot import RunSlot
from metalab.runs.status import RunStatus
from metalab.ui.banners import BannerArea, BannerSpec, banner_for
from metalab.ui.phase import Notice
from metalab.ui.session import Session
from metalab.ui.theme import DARK, LIGHT
from tests.ui.fake_worker import Workshop, small_config


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def session(qapp, workshop):
    session = Session(FaultLog(), slot=RunSlot(workshop))
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    workshop.worker.play(6)
    session.poll()
    return session


def keys(banner: BannerSpec) -> list[str]:
    return [key for key, _ in banner.buttons]


def test_nothing_to_decide_no_banner(qapp, session):
    assert banner_for(Session(FaultLog())) is None
    assert banner_for(session) is None


def test_compiling_is_told_until_it_is_over_or_stopped(qapp, workshop):
    session = Session(FaultLog(), slot=RunSlot(workshop))
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    live = workshop.worker.live
    live.set_status(RunStatus.COMPILING)
    session.poll()
    banner = banner_for(session)
    assert (banner.tone, banner.title) == ("accent", "Compiling kernels")
    assert "half a minute" in banner.text
    session.toggle_run()
    assert banner_for(session) == banner
    live.set_status(RunStatus.STARTING)
    session.poll()
    assert banner_for(session) is None


def test_divergence_offers_what_can_be_done(session, workshop):
    workshop.worker.diverge()
    session.poll()
    banner = banner_for(session)
    assert banner.tone == "warning"
    assert banner.text == session.history.diverged.message
    assert keys(banner) == ["halve_inner_lr", "go_on_anyway"]
    session.stop()
    assert keys(banner_for(session)) == ["halve_inner_lr"]


def test_without_an_inner_lr_there_is_nothing_to_halve(session, workshop, monkeypatch):
    monkeypatch.setattr("metalab.ui.engine_access.inner_lr", lambda _: None)
    workshop.worker.diverge()
    session.poll()
    assert keys(banner_for(session)) == ["go_on_anyway"]


def test_a_failed_run_says_what_is_safe_and_can_be_tried_again(session, workshop):
    step = session.history.step
    workshop.worker.fail("RuntimeError: out of luck")
    session.poll()
    banner = banner_for(session)
    assert banner.tone == "error"
    assert banner.title == f"Run stopped at outer step {step}; saved up to {step}"
    assert banner.text == "RuntimeError: out of luck"
    assert banner.buttons == (("details", "Details"), ("retry", "Resume"))


def test_a_run_that_failed_at_once_has_nothing_saved(qapp, workshop):
    session = Session(FaultLog(), slot=RunSlot(workshop))
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    workshop.worker.fail("run.device is 'cuda'; allowed here: auto, cpu")
    session.poll()
    banner = banner_for(session)
    assert banner.title == "Run stopped at outer step 0"
    assert dict(banner.buttons)["retry"] == "Retry"


def test_a_full_disk_is_told_while_it_lasts(session, workshop):
    workshop.worker.live.set_storage_problem("no space left on device")
    session.poll()
    banner = banner_for(session)
    assert "no space left on device" in banner.text
    assert "kept in memory" in banner.text
    workshop.worker.live.set_storage_problem(None)
    session.poll()
    assert banner_for(session) is None


def test_what_could_not_be_done_comes_first(session, workshop):
    workshop.worker.diverge()
    session.poll()
    session.notice = Notice("Cannot open", "it is not a run file")
    assert banner_for(session).title == "Cannot open"


BANNER = BannerSpec(
    tone="warning",
    title="Something",
    text="happened.",
    buttons=(("first", "Do this"), ("second", "Do that")),
)


@pytest.fixture
def area(qtbot):
    area = BannerArea()
    qtbot.addWidget(area)
    area.set_theme(DARK)
    return area


def test_a_button_tells_its_key(area, qtbot):
    area.show_banner(BANNER)
    assert area.isVisibleTo(None)
    assert area.accessibleName() == "Something. happened."
    first, second = area.buttons()
    assert [first.text(), second.text()] == ["Do this", "Do that"]
    with qtbot.waitSignal(area.button_clicked) as told:
        qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert told.args == ["second"]


def test_buttons_are_replaced_with_the_banner(area):
    area.show_banner(BANNER)
    area.show_banner(replace(BANNER, buttons=(("third", "Do neither"),)))
    assert [button.text() for button in area.buttons()] == ["Do neither"]
    area.show_banner(None)
    assert area.isHidden()


def test_the_same_banner_stays_dismissed_until_it_was_gone(area, qtbot):
    area.show_banner(BANNER)
    close = area.findChild(QToolButton)
    assert close.accessibleName() == "Dismiss"
    with qtbot.waitSignal(area.dismissed):
        close.click()
    assert area.isHidden()
    area.show_banner(BANNER)
    assert area.isHidden()
    area.show_banner(replace(BANNER, title="Something else"))
    assert not area.isHidden()
    area.show_banner(None)
    area.show_banner(BANNER)
    assert not area.isHidden()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_stripe_has_the_colour_of_the_tone(area, theme):
    area.show_banner(BANNER)
    area.set_theme(theme)
    area.resize(600, 50)
    picture = area.grab().toImage()
    assert picture.pixelColor(1, 25).name() == theme.warning


def test_a_failure_while_stopping_waits_until_the_thread_is_gone(session, workshop):
    session.stop()
    workshop.worker.live.set_status(RunStatus.FAILED)
    session.poll()
    assert banner_for(session) is None


def test_a_run_that_may_diverge_is_told_of_while_it_goes_on(qapp, workshop):
    session = Session(FaultLog(), slot=RunSlot(workshop))
    session.set_loading()
    config = small_config(
        hypergradient={"kind": "first-order"},
        inner__inner_lr=1.0,
        inner__num_inner_steps=3,
    )
    session.set_config(config)
    session.toggle_run()
    workshop.worker.play(2)
    session.poll()
    banner = banner_for(session)
    assert (banner.tone, banner.title) == ("warning", "This run may diverge")
    assert banner.text == session.history.stability_warning.message
    assert keys(banner) == ["halve_inner_lr"]
    # It stays the same, so that one that was dismissed does not come back.
    workshop.worker.play(1)
    session.poll()
    if session.history.diverged is None:
        assert banner_for(session) == banner


@pytest.mark.parametrize("stored", [0, 20])
def test_a_file_that_nobody_closed_says_how_far_it_goes(session, workshop, stored):
    session.stop()
    workshop.worker.end(RunStatus.STOPPED)
    session.poll()
    assert banner_for(session) is None
    cut = replace(session.history, cut_short=True, step=stored, stored_step=stored)
    session._slot.show(cut)
    banner = banner_for(session)
    assert (banner.tone, banner.title) == (
        "accent",
        f"Complete to outer step {stored} of 60",
    )
    assert "killed or goes on elsewhere" in banner.text
    assert keys(banner) == (["retry"] if stored else [])
