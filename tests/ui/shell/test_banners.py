"""What needs a decision, said above the workspace."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QToolButton

from metalab.engine.events import METRICS, StepsDone
from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import RunManager
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.faults import FaultLog
from metalab.ui.session.phase import Notice
from metalab.ui.session.session import Session
from metalab.ui.shell.banners import WITHOUT_KERNELS, BannerArea, BannerSpec, banner_for
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from tests.support.experiments import small
from tests.support.fake_worker import Workshop, small_config


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def session(qapp, workshop):
    session = Session(FaultLog(), slot=RunManager(workshop))
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
    session = Session(FaultLog(), slot=RunManager(workshop))
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    live = workshop.worker.live
    live.set_compiling(Compiling(share=0.0, name="", seconds=0.4))
    session.poll()
    banner = banner_for(session)
    title = "Compiling kernels, once on this machine"
    assert (banner.tone, banner.title, banner.share) == ("accent", title, 0.0)
    assert banner.text == "0 s so far; then the run begins."
    session.toggle_run()
    assert banner_for(session) == banner
    live.set_compiling(Compiling(share=0.25, name="update", seconds=3.0))
    session.poll()
    later = banner_for(session)
    assert (
        later.text == "3 s so far, about 9 s to go, last update; then the run begins."
    )
    assert later.share == 0.25
    assert later.continues(banner)
    live.set_compiling(None)
    session.poll()
    assert banner_for(session) is None


def test_a_run_that_needs_kernels_is_not_offered_to_do_without(qapp, workshop):
    session = Session(FaultLog(), slot=RunManager(workshop))
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    compiling = Compiling(share=0.25, name="update", seconds=3.0)
    for needed in (False, True):
        workshop.worker.live.set_compiling(replace(compiling, needed=needed))
        session.poll()
        assert keys(banner_for(session)) == ([] if needed else [WITHOUT_KERNELS])


def test_divergence_offers_what_can_be_done(session, workshop):
    workshop.worker.diverge()
    session.poll()
    banner = banner_for(session)
    assert banner.tone == "warning"
    assert banner.text == (
        f"{session.history.diverged.message} Lower Inner lr (now 0.01): an inner loop "
        "diverges above 2/L, L the largest eigenvalue of its loss's Hessian. Or lower "
        "Outer lr (now 0.001), or set Clip norm (now 0)."
    )
    assert keys(banner) == ["halve inner.inner_lr", "go_on_anyway"]
    assert dict(banner.buttons)["halve inner.inner_lr"] == "Halve inner lr and restart"
    session.stop()
    assert keys(banner_for(session)) == ["halve inner.inner_lr"]


WORRY = [info.name for info in METRICS].index("not_positive_definite_solves")


@pytest.fixture
def implicit(qapp, workshop):
    """A run of implicit differentiation, not begun, and how to make its next steps."""
    session = Session(FaultLog(), slot=RunManager(workshop))
    session.set_loading()
    session.set_config(small("imaml-sine", outer__num_tasks=25))
    session.toggle_run()
    live = workshop.worker.live

    def step(*solves):
        metrics = np.ones((1, len(METRICS)))
        metrics[0, WORRY:] = solves
        first = live.snapshot().step + 1
        live.on_event(StepsDone(first_step=first, metrics=metrics), 0.1 * first)
        session.poll()

    return session, step


def test_linear_systems_that_are_not_positive_definite_are_told(implicit):
    session, step = implicit
    step(0, 25, 0.05)
    assert banner_for(session) is None
    step(21, 25, 0.86)
    banner = banner_for(session)
    assert banner.tone == "warning"
    assert banner.title == "Linear systems are not positive definite"
    assert "At outer step 2: 21 of 25 not positive definite" in banner.text
    assert "25 of 25 not converged (largest relative residual 0.86)" in banner.text
    assert "no minimum" in banner.text
    assert "stronger regulariser" in banner.text


def test_so_are_those_that_are_only_not_solved(implicit):
    session, step = implicit
    step(0, 25, 0.5)
    banner = banner_for(session)
    assert banner.title == "Linear systems are not solved"
    assert "“CG iterations”" in banner.text
    assert "regulariser" not in banner.text


def test_once_closed_it_does_not_come_back_with_every_step(qtbot, implicit):
    session, step = implicit
    area = BannerArea()
    qtbot.addWidget(area)
    step(21, 25, 0.86)
    area.show_banner(banner_for(session))
    assert area.spec is not None
    qtbot.mouseClick(area.findChild(QToolButton), Qt.MouseButton.LeftButton)
    step(19, 25, 0.5)
    area.show_banner(banner_for(session))
    assert area.spec is None


@pytest.mark.parametrize(
    ("changes", "halved"),
    [
        ({"meta__kind": "ridge-head", "inner__kind": "closed-form"}, []),
        (
            {
                "meta__kind": "anchor",
                "hypergradient__kind": "implicit-neumann",
                "quantity": "hypergradient_norm",
            },
            ["halve hypergradient.step_size"],
        ),
        ({"quantity": "meta_parameter_norm"}, ["halve outer.optimizer.outer_lr"]),
    ],
)
def test_what_can_be_halved_is_what_blew_up(qapp, workshop, changes, halved):
    """No inner lr where there is none, nor where it is not to blame."""
    quantity = changes.pop("quantity", "outer_loss")
    session = Session(FaultLog(), slot=RunManager(workshop))
    session.set_loading()
    session.set_config(small_config(**changes))
    session.toggle_run()
    workshop.worker.diverge(quantity)
    session.poll()
    assert keys(banner_for(session)) == [*halved, "go_on_anyway"]


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
    session = Session(FaultLog(), slot=RunManager(workshop))
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
    return area


def test_a_bar_grows_under_a_button_that_stays(area, qtbot):
    compiling = BannerSpec(
        tone="accent",
        title="Compiling",
        text="3 s",
        buttons=(("go", "Go"),),
        share=0.25,
    )
    area.show_banner(compiling)
    (button,) = area.buttons()
    bar = area.findChild(QProgressBar)
    assert bar.isVisible()
    assert bar.value() / bar.maximum() == 0.25
    area.show_banner(replace(compiling, share=0.5, text="6 s"))
    assert bar.value() / bar.maximum() == 0.5
    assert area.buttons() == [button]
    with qtbot.waitSignal(area.button_clicked) as clicked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert clicked.args == ["go"]
    # Dismissed, it stays so while the same goes on.
    qtbot.mouseClick(area.findChild(QToolButton), Qt.MouseButton.LeftButton)
    area.show_banner(replace(compiling, share=0.75))
    assert not area.isVisible()
    area.show_banner(replace(compiling, share=None, title="Else", buttons=()))
    assert area.isVisible()
    assert not bar.isVisible()


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
    change_theme(theme)
    area.resize(600, 50)
    picture = area.grab().toImage()
    assert picture.pixelColor(1, 25).name() == theme.warning


def test_a_failure_while_stopping_waits_until_the_thread_is_gone(session, workshop):
    session.stop()
    workshop.worker.live.set_status(RunStatus.FAILED)
    session.poll()
    assert banner_for(session) is None


def test_a_run_that_may_diverge_is_told_of_while_it_goes_on(qapp, workshop):
    session = Session(FaultLog(), slot=RunManager(workshop))
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
    assert keys(banner) == ["halve inner.inner_lr"]
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
