"""Recent runs, what a crash has left, bookmarks: with real run files and real keys."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QSystemTrayIcon

from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.manager import RunManager
from metalab.runs.running.run import run_experiment
from metalab.runs.system.home import runs_folder
from metalab.ui.session import engine_access
from metalab.ui.session.phase import Stake
from metalab.ui.shell.out_of_sight import LEAST_SECONDS, EndNotice
from metalab.ui.timeline.bookmark_dialog import BookmarkDialog
from tests.support.fake_worker import small_config
from tests.support.stored import run_to
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


def small(**changes):
    return small_config(run__provider="autodiff", **changes)


@pytest.fixture
def kept(tmp_path):
    """Return a maker of run files in the folder of runs."""

    def make(name: str, *, when: float, stop_at: int | None = None) -> Path:
        path = runs_folder() / f"{name}.metalab"
        path.parent.mkdir(parents=True, exist_ok=True)
        run_to(path, small(), stop_at=stop_at)
        os.utime(path, (when, when))
        return path

    return make


@pytest.fixture
def crashed(kept, monkeypatch) -> Path:
    """Return the file of a run whose process was killed at outer step 40."""
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    running = runs_folder() / "running.metalab"
    running.parent.mkdir(parents=True, exist_ok=True)
    path = running.with_name("crashed.metalab")

    class Copy:
        def on_event(self, event, seconds):
            pass

        def flush(self, trainer, *, force=False):
            if trainer.step == 40:
                path.write_bytes(running.read_bytes())

    run_experiment(LiveRun(small(), path=running), RunControl(), sinks=[Copy()])
    running.unlink()
    return path


@pytest.fixture
def open_real(open_lab, qtbot) -> Callable[[], object]:
    """Open windows with real threads that have listed the runs there are."""

    def open_one():
        lab = open_lab(slot=RunManager())
        lab.returning.recent.look()
        until(qtbot, lab, lambda: lab.returning.recent._job is None)
        return lab

    return open_one


def test_recent_runs_are_listed_in_menu_and_start_page_and_opened(
    kept, open_real, qtbot, tmp_path
):
    old, new = kept("old", when=1000.0), kept("new", when=2000.0, stop_at=20)
    broken = runs_folder() / "broken.metalab"
    broken.write_text("a poem")
    os.utime(broken, (500.0, 500.0))
    lab = open_real()
    menu = lab.window.recent
    found = [(Path(a.objectName()).name, a.isEnabled()) for a in menu.actions()]
    assert found == [
        ("new.metalab", True),
        ("old.metalab", True),
        ("broken.metalab", False),
    ]
    assert "20 / 60, stopped" in menu.actions()[0].text()
    assert "cannot be read" in menu.actions()[2].text()
    assert "not a metalab run file" in menu.actions()[2].toolTip()
    lab.window.workspaces.show_page("start")
    page = lab.window.workspaces.current
    rows = page.cards.runs.buttons
    assert [row.isEnabled() for row in rows] == [True, True, False]
    QTest.mouseClick(rows[0], Qt.MouseButton.LeftButton)
    until(qtbot, lab, lambda: lab.session.history is not None)
    assert lab.session.history.path == new
    # The page that shows it has come to the front.
    assert lab.window.workspaces.current_key == "live"
    lab.actions["reopen_last"].trigger()
    until(qtbot, lab, lambda: lab.session.history.path == old)
    assert lab.session.run_before == new
    entries = [e.path for e in lab.preferences.current.opened_files]
    assert entries == [str(old), str(new)]


@pytest.mark.slow
def test_a_file_opened_elsewhere_is_remembered_and_grey_once_it_is_gone(
    open_real, qtbot, tmp_path
):
    away = tmp_path / "usb" / "away.metalab"
    away.parent.mkdir()
    run_to(away, small(), stop_at=1)
    lab = open_real()
    lab.commands.open_path(away)
    until(qtbot, lab, lambda: lab.session.history is not None)
    lab.window.close()
    second = open_real()
    assert Path(second.window.recent.actions()[0].objectName()) == away
    away.unlink()
    second.returning.recent.look()
    until(qtbot, second, lambda: second.returning.recent._job is None)
    (line,) = second.window.recent.actions()
    assert not line.isEnabled()
    assert "missing" in line.text()
    assert not second.actions["reopen_last"].isEnabled()


@pytest.mark.parametrize("on_start", [False, True])
@pytest.mark.sampled(2)
def test_what_a_crash_has_left_is_resumed(crashed, open_real, qtbot, on_start):
    lab = open_real()
    banners = lab.window.banners
    assert banners.spec.title.endswith("to outer step 40 of 60")
    assert [b.text() for b in banners.buttons()] == ["Resume", "Open", "Discard"]
    if on_start:
        lab.window.workspaces.show_page("start")
        assert banners.isHidden()
        strip = lab.window.workspaces.current.cards.recovered
        assert strip.isVisible()
        QTest.mouseClick(strip.buttons["recover_resume"], Qt.MouseButton.LeftButton)
    else:
        QTest.mouseClick(banners.buttons()[0], Qt.MouseButton.LeftButton)
    until(
        qtbot,
        lab,
        lambda: (h := lab.session.history) and h.status is RunStatus.FINISHED,
    )
    until(qtbot, lab, lambda: not lab.session.busy)
    assert lab.session.history.path == crashed
    assert open_run(crashed).history.step == 60
    assert lab.session.recovered is None


@pytest.mark.slow
def test_it_is_offered_once_and_opened_or_put_into_the_bin(
    crashed, open_real, qtbot, monkeypatch, tmp_path
):
    bins = []
    place = tmp_path / "bin.metalab"

    def to_bin(path):
        bins.append(path)
        path.rename(place)
        return True, str(place)

    monkeypatch.setattr("metalab.ui.shell.returning._to_bin", to_bin)
    lab = open_real()
    opened = lab.window.banners.buttons()[1]
    QTest.mouseClick(opened, Qt.MouseButton.LeftButton)
    until(qtbot, lab, lambda: lab.session.history is not None)
    assert lab.session.history.cut_short
    lab.window.close()
    second = open_real()
    assert second.session.recovered is None
    second.preferences.change("settled", ())
    third = open_real()
    QTest.mouseClick(third.window.banners.buttons()[2], Qt.MouseButton.LeftButton)
    assert bins == [crashed]
    assert str(place) in third.window.banners.spec.text
    until(qtbot, third, lambda: third.returning.recent._job is None)
    assert [a.isEnabled() for a in third.window.recent.actions()] == [False]


@pytest.mark.slow
def test_without_a_bin_nothing_is_deleted(crashed, open_real, monkeypatch):
    def no_bin(path):
        return False, ""

    monkeypatch.setattr("metalab.ui.shell.returning._to_bin", no_bin)
    lab = open_real()
    lab.window.banners.buttons()[2].click()
    assert crashed.exists()
    assert "stays where it is" in lab.window.banners.spec.text


# Bookmarks


def test_a_bookmark_of_a_run_in_progress_is_in_its_file(open_real, qtbot):
    lab = open_real()
    lab.session.replace(small(outer__num_steps=200_000))
    lab.session.start()
    until(qtbot, lab, lambda: lab.session.history.step > 20)
    lab.window.activateWindow()
    qtbot.waitUntil(lab.window.isActiveWindow, timeout=5000)
    lab.window.live.setFocus()
    with_control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(lab.window, Qt.Key.Key_B, with_control)
    dialog = lab.window.timeline.findChild(BookmarkDialog)
    qtbot.waitUntil(dialog.note.hasFocus, timeout=5000)
    QTest.keyClicks(dialog.note, "while it runs")
    lab.clock.tick()
    QTest.keyClick(dialog.note, Qt.Key.Key_Return)
    path = lab.session.history.path
    until(qtbot, lab, lambda: lab.session.history.bookmarks_kept)
    (mark,) = open_run(path).history.bookmarks
    assert mark.note == "while it runs"
    assert lab.session.history.status is RunStatus.RUNNING
    lab.session.stop()
    until(qtbot, lab, lambda: not lab.session.busy)
    assert open_run(path).history.bookmarks == (mark,)


def test_closing_waits_for_a_bookmark_that_is_being_written(
    kept, open_real, qtbot, monkeypatch
):
    path = kept("a", when=1000.0)
    lab = open_real()
    lab.session.open_file(path)
    until(qtbot, lab, lambda: lab.session.history is not None)
    lab.window.timeline.bookmark_set.emit(20)
    assert lab.session.busy
    assert not lab.window.close()
    with qtbot.waitSignal(lab.window.closed, timeout=5000):
        pass
    assert [mark.step for mark in open_run(path).history.bookmarks] == [20]


def test_bookmarks_that_cannot_be_written_are_told_and_asked_about(
    kept, open_real, qtbot, monkeypatch
):
    path, other = kept("a", when=1000.0), kept("b", when=2000.0)
    lab = open_real()
    lab.session.open_file(path)
    until(qtbot, lab, lambda: lab.session.history is not None)

    def refuse(path, marks):
        raise RunFileError(f"{path} cannot be written: Permission denied")

    real = engine_access.write_bookmarks
    monkeypatch.setattr(engine_access, "write_bookmarks", refuse)
    lab.window.timeline.bookmark_set.emit(20)
    until(qtbot, lab, lambda: not lab.session.busy)
    assert lab.window.banners.spec.title == "The bookmarks are not in the run's file"
    assert "Permission denied" in lab.window.banners.spec.text
    assert [mark.step for mark in lab.session.history.bookmarks] == [20]
    assert lab.session.stake is Stake.BOOKMARKS
    lab.session.open_file(other)
    lab.replacing.dialog.reject()
    assert not lab.window.close()
    lab.closer.dialog.reject()
    # Once it can be written, all of them are.
    monkeypatch.setattr(engine_access, "write_bookmarks", real)
    lab.window.timeline.note_written.emit(21, "too")
    until(qtbot, lab, lambda: not lab.session.busy)
    assert lab.session.stake is Stake.NOTHING
    marks = open_run(path).history.bookmarks
    assert [(mark.step, mark.note) for mark in marks] == [(20, ""), (21, "too")]


@pytest.mark.slow
def test_an_earlier_bookmark_moves_into_the_file_with_the_first_change(
    kept, open_real, qtbot, tmp_path
):
    path = kept("a", when=1000.0)
    marks = tmp_path / "home" / "config" / "bookmarks.json"
    marks.parent.mkdir(parents=True, exist_ok=True)
    marks.write_text(f'{{"{path}": [{{"step": 7, "note": "old"}}]}}')
    lab = open_real()
    lab.session.open_file(path)
    until(qtbot, lab, lambda: lab.session.history is not None)
    lab.clock.tick()
    assert [m.note for m in lab.window.timeline.outer.model.bookmarks] == ["old"]
    assert open_run(path).history.bookmarks is None
    lab.window.timeline.bookmark_set.emit(30)
    until(qtbot, lab, lambda: not lab.session.busy)
    assert [m.step for m in open_run(path).history.bookmarks] == [7, 30]


@pytest.mark.slow
def test_more_bookmarks_than_a_file_holds_are_refused_in_words(
    lab, workshop, monkeypatch
):
    monkeypatch.setattr("metalab.ui.shell.timeline_controller.MOST_BOOKMARKS", 1)
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    lab.window.timeline.bookmark_set.emit(1)
    lab.window.timeline.bookmark_set.emit(2)
    assert "at most 1" in lab.window.banners.spec.text
    assert len(lab.session.history.bookmarks) == 1


# Words


def test_saving_a_lesson_says_where_it_is(lab, tmp_path):
    path = tmp_path / "mine.lesson.toml"
    lab.teaching.save(path)
    (toast,) = lab.window.toasts.toasts
    assert str(path) in toast.text.text()


def test_an_invalid_field_turns_off_no_card_and_says_why_not_run(lab, workshop):
    lab.window.workspaces.show_page("start")
    cards = lab.window.workspaces.current.cards
    lab.session.set_invalid("inner.inner_lr is -1; allowed: above 0")
    assert all(card.isEnabled() for card in cards.cards.values())
    assert lab.actions["lesson_1"].isEnabled()
    lab.window.workspaces.show_page("live")
    assert "inner.inner_lr is -1" in lab.window.live.empty.detail
    assert "inner.inner_lr is -1" in lab.window.live.empty.button.toolTip()

    lab.session.set_config(small_config())
    lab.window.workspaces.show_page("start")
    lab.actions["toggle_run"].trigger()
    assert len(workshop.workers) == 1
    assert lab.window.workspaces.current_key == "live"
    workshop.worker.stop()


def test_a_paused_run_without_a_step_says_that_it_waits(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    lab.session.toggle_run()
    workshop.worker.live.set_status(RunStatus.PAUSED)
    lab.clock.tick()
    for key in ("live", "adapt", "landscape", "estimators", "structure"):
        lab.window.workspaces.show_page(key)
        lab.clock.tick()
    view = lab.window.live
    assert view.outer_loss.plot.message.startswith("Paused before the first")
    assert view.gallery.grid.message.startswith("Paused before the first")


class Desk:
    """What the desktop was asked for."""

    def __init__(self, monkeypatch):
        self.alerts, self.messages = [], []
        monkeypatch.setattr(QApplication, "alert", self.alerts.append)
        for name in ("isSystemTrayAvailable", "supportsMessages"):
            monkeypatch.setattr(QSystemTrayIcon, name, lambda: True)

        def message(_icon, title, text, *_rest):
            self.messages.append((title, text))

        monkeypatch.setattr(QSystemTrayIcon, "showMessage", message)


@pytest.mark.qt_log_ignore("systemTrayWindowChanged")
@pytest.mark.parametrize(
    ("seconds", "seen", "diverges", "told"),
    [
        (LEAST_SECONDS + 1, False, False, "Run finished"),
        (LEAST_SECONDS + 1, False, True, "Run diverged"),
        (LEAST_SECONDS - 1, False, False, ""),
        (LEAST_SECONDS + 1, True, False, ""),
    ],
)
@pytest.mark.sampled(4)
def test_the_end_of_a_long_run_out_of_sight_is_told(
    lab, workshop, monkeypatch, seconds, seen, diverges, told
):
    desk = Desk(monkeypatch)
    now = [0.0]
    notice = EndNotice(lab.session, lab.window, now=lambda: now[0])
    lab.end_notice.blockSignals(True)
    monkeypatch.setattr(lab.window, "isActiveWindow", lambda: seen)
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    now[0] = seconds
    if diverges:
        workshop.worker.diverge()
    else:
        workshop.worker.end()
    lab.clock.tick()
    lab.clock.tick()
    assert [title for title, _ in desk.messages] == ([told] if told else [])
    assert bool(desk.alerts) is bool(told)
    if told:
        assert f"of 60 outer steps, after 0:{seconds:.0f}" in desk.messages[0][1]
    notice.put_away()


@pytest.mark.parametrize("size", [(1000, 600), (1280, 800)])
@pytest.mark.sampled(2)
def test_toasts_stay_within_the_pages(lab, qtbot, size):
    lab.window.resize(*size)
    toasts = lab.window.toasts
    for number in range(5):
        toasts.say(f"{number}: " + "words of some length " * 8, "Back to it")
    qtbot.waitUntil(toasts.isVisible)
    assert len(toasts.toasts) == 3
    assert lab.window.workspaces.rect().contains(toasts.geometry())
    for toast in toasts.toasts:
        inner = toast.rect()
        for part in (toast.text, toast.button, toast.close_button):
            assert inner.contains(part.geometry())
        needed = toast.text.heightForWidth(toast.text.width())
        assert toast.text.height() >= needed
    QTest.mouseClick(toasts.toasts[0].close_button, Qt.MouseButton.LeftButton)
    assert len(toasts.toasts) == 2
    assert not [d for d in lab.window.findChildren(QDialog) if d.isVisible()]
