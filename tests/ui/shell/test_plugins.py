"""Plug-ins in the window: asked about once a content, loaded at the next start."""

import json
import os
from functools import cache

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from metalab.catalog import plugin_files
from metalab.catalog.plugin_files import VARIABLE, look_at
from metalab.runs.system.faults import FaultLog
from metalab.ui.shell import plugins
from metalab.ui.shell.plugins import name_remembered
from metalab.ui.shell.preferences import KeptPlugin, preferences_path
from tests.support.fake_worker import small_config
from tests.ui.conftest import until

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Give back the variable that names plug-ins."""
    monkeypatch.setenv(VARIABLE, "")


@pytest.fixture
def unloaded(monkeypatch):
    """Make it the start of a process, in which no plug-in has been looked for."""
    fresh = cache(lambda: ())
    monkeypatch.setattr(plugin_files, "loaded_files", fresh)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("raise SystemExit('it must not be run in the window')\n")
    return path


@pytest.fixture
def started(monkeypatch):
    """Return what would be started."""
    calls = []

    def start(arguments, environment):
        calls.append((arguments, environment.get(VARIABLE)))

    monkeypatch.setattr(plugins, "start", start)
    return calls


def press(lab, text):
    dialog = lab.plugins.dialog
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


def kept(file):
    plugin = look_at(file)
    return KeptPlugin(path=str(plugin.path), sha256=plugin.digest)


def test_the_menu_asks_for_a_file_and_then_says_what_a_plugin_is(lab, file):
    lab.actions["add_plugin"].trigger()
    lab.plugins.dialog.fileSelected.emit(str(file))
    dialog = lab.plugins.dialog
    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert dialog.windowTitle() == "A plug-in is a program"
    assert "with your rights" in text
    assert f"mine.py (sha256 {look_at(file).digest[:16]})" in text
    press(lab, "Cancel")
    assert lab.preferences.current.plugins == ()


def test_it_is_remembered_by_its_content_and_loaded_later(lab, file, started):
    lab.plugins.consider(str(file))
    press(lab, "&Add it")
    assert lab.plugins.dialog.windowTitle() == "At the next start"
    press(lab, "Cancel")
    assert lab.preferences.current.plugins == (kept(file),)
    written = json.loads(preferences_path().read_text())
    assert written["plugins"][0]["path"] == str(file)
    assert not os.environ[VARIABLE]
    assert started == []
    assert lab.window.isVisible()


def test_added_once_it_is_not_asked_about_but_can_be_forgotten(lab, file):
    lab.preferences.change("plugins", (kept(file),))
    lab.plugins.consider(str(file))
    assert lab.plugins.dialog.windowTitle() == "This plug-in is added"
    press(lab, "&Forget it")
    assert lab.preferences.current.plugins == ()


def test_another_content_is_asked_about_and_takes_the_place_of_the_old(lab, file):
    lab.preferences.change("plugins", (kept(file),))
    file.write_text("x = 1\n")
    lab.plugins.consider(str(file))
    assert lab.plugins.dialog.windowTitle() == "A plug-in is a program"
    press(lab, "&Add it")
    assert lab.preferences.current.plugins == (kept(file),)


def test_what_is_no_python_is_refused_with_its_line(lab, file):
    file.write_text("x = 1\nclass :\n")
    lab.plugins.consider(str(file))
    lab.clock.tick()
    assert lab.session.notice.title == "The plug-in cannot be added"
    assert f"{file}, line 2: SyntaxError" in lab.session.notice.text
    assert lab.window.problems.count == 1


def test_starting_again_closes_the_window_and_opens_another(lab, file, started, qtbot):
    lab.plugins.consider(str(file))
    press(lab, "&Add it")
    with qtbot.waitSignal(lab.window.closed):
        press(lab, "&Start again now")
    assert started == [([], None)]


def test_a_window_that_stays_starts_nothing_later(lab, file, workshop, started, qtbot):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    lab.plugins.consider(str(file))
    press(lab, "&Add it")
    press(lab, "&Start again now")
    question = lab.closer.dialog
    next(b for b in question.findChildren(QPushButton) if b.text() == "Cancel").click()
    assert lab.window.isVisible()
    lab.session.stop()
    workshop.worker.end()
    until(qtbot, lab, lambda: not lab.session.busy)
    with qtbot.waitSignal(lab.window.closed):
        lab.window.close()
    assert started == []


@pytest.mark.usefixtures("unloaded")
def test_remembered_files_are_named_at_the_start(file):
    faults = FaultLog()
    name_remembered([kept(file)], faults)
    assert os.environ[VARIABLE] == str(file)
    assert faults.snapshot() == ()


@pytest.mark.usefixtures("unloaded")
def test_files_that_have_changed_or_are_gone_are_told_and_not_loaded(file, tmp_path):
    faults = FaultLog()
    old = kept(file)
    file.write_text("x = 1\n")
    gone = KeptPlugin(path=str(tmp_path / "gone.py"), sha256="0" * 64)
    name_remembered([old, gone], faults)
    assert not os.environ[VARIABLE]
    changed, missing = (fault.message for fault in faults.snapshot())
    assert changed.startswith(f"Plug-in {file} has changed since it was added")
    assert "gone.py cannot be read: No such file" in missing
