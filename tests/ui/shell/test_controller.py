"""The parts of the window together; the frame clock is ticked by hand."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
)

from metalab.catalog.defaults import DEFAULT_PRESET
from metalab.experiment.config import preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import with_overrides
from metalab.experiment.naming import experiment_name, reference_of
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.status import RunStatus
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.faults import FaultLog
from metalab.runs.system.preload import Preload
from metalab.ui.forms.differences import DifferencesDialog
from metalab.ui.forms.field_list import FieldList
from metalab.ui.forms.form_header import FormHeader
from metalab.ui.learn.cards import all_cards
from metalab.ui.learn.experiments import config_of
from metalab.ui.learn.lesson import own_lessons
from metalab.ui.session import engine_access
from metalab.ui.session.phase import Phase
from metalab.ui.shell.preferences import preferences_path
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.workspaces.base import Workspace
from tests.support.fake_worker import small_config
from tests.ui.conftest import until
from tests.ui.forms.asking import header

pytestmark = pytest.mark.gui


@pytest.fixture
def running(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    return lab


def test_the_window_is_there_before_the_engine(open_lab):
    lab = open_lab(load=False)
    assert lab.window.isVisible()
    assert lab.window.experiment.form is None
    assert lab.window.experiment.skeleton.accessibleName() == "Loading torch…"
    assert lab.session.phase is Phase.LOADING
    assert "Loading torch…" in lab.actions["toggle_run"].toolTip()


def test_then_the_form_shows_the_default_preset(lab):
    form = lab.window.experiment.form
    assert form.isVisible()
    assert form.config().name == DEFAULT_PRESET
    assert lab.session.config == form.config()
    assert lab.window.toolbar.chip.text == "MAML"
    assert "MAML" in lab.window.live.empty.title


def test_an_engine_that_cannot_be_loaded_is_told(open_lab, qtbot):
    lab = open_lab(load=False, preload=Preload(["metalab.no_such_module"]))
    until(qtbot, lab, lambda: "cannot be loaded" in lab.session.loading_text)
    assert "no_such_module" in lab.window.experiment.skeleton.accessibleName()
    assert lab.window.problems.count == 1
    assert lab.window.problems.isVisible()
    assert not lab.actions["toggle_run"].isEnabled()
    assert "cannot be loaded" in lab.actions["toggle_run"].toolTip()


def test_the_form_is_folded_as_it_was_left(open_lab, qtbot):
    first = open_lab()
    form = first.window.experiment.form
    groups = form.findChild(FieldList).groups
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(groups["tasks"].main.header, left)
    qtbot.mouseClick(groups["inner"].advanced.header, left)
    assert form.folds == {"tasks": False, "inner.advanced": True}
    # A search opens everything, for as long as it lasts.
    form.findChild(FieldList).search("lr")
    assert form.folds == {"tasks": False, "inner.advanced": True}
    first.window.close()
    second = open_lab()
    groups = second.window.experiment.form.findChild(FieldList).groups
    assert not groups["tasks"].main.expanded
    assert groups["inner"].advanced.expanded
    assert groups["model"].main.expanded
    assert not groups["model"].advanced.expanded
    qtbot.mouseClick(groups["tasks"].main.header, left)
    qtbot.mouseClick(groups["inner"].advanced.header, left)
    second.window.close()
    assert open_lab().window.experiment.form.folds == {}


def test_a_window_closed_before_its_form_forgets_no_folds(open_lab):
    open_lab().preferences.change("folds", {"model": False})
    lab = open_lab(load=False, preload=Preload(["metalab.no_such_module"]))
    assert lab.window.experiment.form is None
    lab.window.close()
    assert lab.preferences.current.folds == {"model": False}


def test_a_preset_that_is_gone_falls_back(open_lab):
    first = open_lab()
    first.preferences.change("preset", "from-a-plugin")
    second = open_lab()
    assert second.session.reference.name == DEFAULT_PRESET
    assert "from-a-plugin" in second.faults.snapshot()[0].message


def test_an_experiment_is_saved_and_opened_again(lab, tmp_path):
    path = tmp_path / "mine.toml"
    lab.session.replace(with_overrides(lab.session.config, [("run.seed", 5)]))
    mine = lab.session.config
    lab.session.save_experiment(path)
    lab.session.open_preset("reptile-sine")
    lab.commands.open_path(path)
    assert lab.session.config == mine
    assert lab.window.experiment.form.config() == mine
    path.write_text("[outer]\nnum_steps = -1\n")
    lab.commands.open_path(path)
    assert lab.session.config == mine
    assert "outer.num_steps is -1" in lab.session.notice.text
    lab.session.save_experiment(tmp_path / "none" / "mine.toml")
    assert "does not exist" in lab.session.notice.text


def test_the_window_begins_with_a_file(open_lab, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('preset = "fomaml-sine"\n[run]\nseed = 3\n')
    lab = open_lab(file=path)
    assert lab.session.config.run.seed == 3
    assert lab.session.reference.name == "fomaml-sine"


def test_a_package_that_cannot_be_used_is_among_the_problems(open_lab, monkeypatch):
    told = "entry point 'momentum' of somebodys 1.0 in 'metalab.algorithms' is left out"
    monkeypatch.setattr(engine_access, "plugin_problems", lambda: (told,))
    lab = open_lab()
    assert [fault.message for fault in lab.faults.snapshot()] == [told]
    assert lab.window.experiment.form.isVisible()


def test_preferences_with_bad_entries_are_told(open_lab):
    preferences_path().parent.mkdir(parents=True)
    preferences_path().write_text('{"theme": "pink"}', encoding="utf-8")
    lab = open_lab()
    assert lab.window.problems.count == 2
    assert not lab.window.problems.isVisible()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"workspaces": {"shown": []}}', 0),
        ('{"workspaces": {"shown": {}, "live": {"rows": [1e300, 1], "sort": []}}}', 0),
        (f'{{"workspaces": {{"live": {{"rows": [{10**18}, 1]}}}}}}', 0),
        (f'{{"step_size": {"9" * 5000}}}', 2),
        ('{"theme": "\\ud800"}', 2),
        ('{"export": {"dpi": 1000000000000}, "folder": "\\u0000"}', 3),
        ("[" * 100_000, 2),
        ("", 2),
    ],
)
@pytest.mark.sampled(3)
def test_whatever_the_preferences_are_the_window_opens(open_lab, content, told):
    preferences_path().parent.mkdir(parents=True)
    preferences_path().write_text(content, encoding="utf-8")
    lab = open_lab()
    assert lab.window.isVisible()
    assert lab.session.loaded
    assert lab.window.problems.count == told
    for key in ("live", "adapt", "landscape", "estimators", "structure"):
        lab.window.workspaces.show_page(key)
    lab.window.close()
    # What was made of them is kept, and read without a word.
    assert open_lab().window.problems.count == 0


def test_earlier_bookmarks_that_cannot_be_read_are_told(lab, workshop, monkeypatch):
    marks = preferences_path().with_name("bookmarks.json")
    marks.parent.mkdir(parents=True, exist_ok=True)
    marks.write_text("{", encoding="utf-8")
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    workshop.worker.play(6)
    workshop.worker.end()
    lab.clock.tick()
    history = lab.session.history
    monkeypatch.setattr(engine_access, "stored_history", lambda _: history)
    lab.session.open_file(history.path)
    assert lab.session.join(10)
    lab.clock.tick()
    assert "Bookmarks cannot be read" in lab.faults.snapshot()[-1].message
    assert marks.with_name("bookmarks.backup.json").read_text(encoding="utf-8") == "{"


def test_frames_reach_the_workspace_while_it_can_be_seen(running, workshop):
    live = running.window.live
    shown = []
    live.show_moment = lambda moment: shown.append(moment.history)
    assert not running.draw()
    workshop.worker.play(2)
    assert running.draw()
    assert shown == [running.session.history]
    running.window.workspaces.hide()
    workshop.worker.play(2)
    assert not running.draw()
    running.window.workspaces.show()
    assert running.draw()
    assert shown[-1] is running.session.history


def test_a_page_that_awaits_curves_has_one_frame_and_not_two(
    running, workshop, monkeypatch
):
    """A drag that never rests does not hide how the run goes on."""
    page = type(running.window.workspaces.current)
    monkeypatch.setattr(page, "awaits_curves", True)
    seen = []
    for _ in range(6):
        workshop.worker.play(1)
        running.draw()
        seen.append(running.session.history.step)
    assert seen[1] == seen[2] < seen[3] == seen[4] < seen[5]


def test_while_kernels_are_compiled_the_window_pauses_and_stops(lab, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    compiling = Compiling(share=0.25, name="update", seconds=3.0)
    workshop.worker.live.set_compiling(compiling)
    lab.clock.tick()
    assert lab.window.banners.isVisible()
    assert lab.window.banners.spec.share == 0.25
    assert lab.actions["toggle_run"].isEnabled()
    lab.actions["toggle_run"].trigger()
    assert lab.session.phase is Phase.PAUSED
    lab.actions["stop"].trigger()
    workshop.worker.end(RunStatus.STOPPED)
    lab.clock.tick()
    assert lab.session.phase is Phase.IDLE
    assert not lab.window.banners.isVisible()


def test_a_run_need_not_wait_for_kernels(lab, qtbot, workshop):
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    compiling = Compiling(share=0.25, name="update", seconds=3.0)
    workshop.worker.live.set_compiling(compiling)
    lab.clock.tick()
    (button,) = lab.window.banners.buttons()
    assert not workshop.worker.control.without_kernels
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert workshop.worker.control.without_kernels


def test_the_example_stays_until_the_run_has_something_to_show(
    open_lab, qtbot, workshop
):
    lab = open_lab(example=True)
    pages = lab.window.workspaces
    pages.show_page("adapt")
    until(qtbot, lab, lambda: lab.playhead.moment is not None)
    example = lab.playhead.moment.history
    lab.session.set_config(small_config())
    lab.session.toggle_run()
    compiling = Compiling(share=0.25, name="update", seconds=3.0)
    workshop.worker.live.set_compiling(compiling)
    lab.clock.tick()
    assert lab.playhead.moment.history is example
    # A page that has no use for an example shows the run that is about to begin.
    pages.show_page("live")
    assert lab.playhead.moment.history is lab.session.history
    pages.show_page("adapt")
    assert lab.playhead.moment.history is example
    workshop.worker.live.set_compiling(None)
    workshop.worker.play(2)
    lab.clock.tick()
    assert lab.playhead.moment.history is lab.session.history


def test_a_window_that_closes_before_it_is_painted_imports_nothing(
    open_lab, monkeypatch
):
    started = []
    preload = Preload(("json",), kernels=False)
    monkeypatch.setattr(preload, "start", lambda: started.append(1))
    lab = open_lab(load=False, preload=preload)
    lab.close()
    QCoreApplication.processEvents()
    assert started == []


def test_a_minimised_window_draws_nothing_and_slowly(running, workshop, qtbot):
    running.window.showMinimized()
    qtbot.waitUntil(running.window.isMinimized, timeout=5000)
    workshop.worker.play(2)
    running.clock.tick()
    running.clock.tick()
    assert running.clock.interval_ms == 100
    assert not workshop.worker.live.curves_wanted
    running.window.showNormal()


def test_the_button_of_the_empty_workspace_runs(lab, qtbot):
    lab.window.live.empty.button.click()
    assert lab.session.phase is Phase.RUNNING


def test_an_edit_in_the_form_counts_for_the_next_run(running, workshop):
    form = running.window.experiment.form
    form.reset_all()
    form.row("outer.num_tasks").editor.stepBy(1)
    assert running.session.config.outer.num_tasks == form.config().outer.num_tasks
    assert workshop.worker.live.config.outer.num_tasks == 4


def test_an_invalid_form_says_so_on_the_run_button(lab, qtbot):
    form = lab.window.experiment.form
    editor = form.row("inner.inner_lr").editor
    editor.setFocus()
    editor.lineEdit().setText("-1")
    editor.lineEdit().textEdited.emit("-1")
    form.commit()
    assert lab.session.config is None
    assert not lab.actions["toggle_run"].isEnabled()
    assert "inner_lr" in lab.actions["toggle_run"].toolTip()
    form.undo_stack.undo()
    assert lab.session.config is not None
    assert lab.actions["toggle_run"].isEnabled()


def test_what_is_being_typed_counts_when_run_is_pressed(lab, workshop):
    editor = lab.window.experiment.form.row("outer.num_tasks").editor
    editor.setFocus()
    editor.lineEdit().setText("3")
    editor.lineEdit().textEdited.emit("3")
    lab.actions["toggle_run"].trigger()
    assert workshop.worker.live.config.outer.num_tasks == 3


def test_divergence_shows_a_banner_whose_buttons_work(running, workshop):
    workshop.worker.diverge()
    running.clock.tick()
    banners = running.window.banners
    assert banners.isVisible()
    message = running.session.history.diverged.message
    assert banners.spec.text.startswith(f"{message} Lower Inner lr (now 0.01): ")
    halve, anyway = banners.buttons()
    anyway.click()
    assert not workshop.worker.control.paused
    workshop.worker.diverge()
    running.clock.tick()
    halve.click()
    running.replacing.dialog.accept()
    workshop.worker.end(RunStatus.STOPPED)
    running.clock.tick()
    assert workshop.worker.live.config.inner.inner_lr == 0.005
    assert running.window.experiment.form.config().inner.inner_lr == 0.005
    assert banners.isHidden()


def test_a_failed_run_shows_a_banner_and_a_problem(running, workshop, monkeypatch):
    workshop.worker.fail()
    running.clock.tick()
    running.clock.tick()
    assert running.window.problems.count == 1
    assert not running.window.problems.isVisible()
    details, retry = running.window.banners.buttons()
    details.click()
    assert running.window.problems.isVisible()
    history = running.session.history
    monkeypatch.setattr(engine_access, "past_of", lambda _: history)
    retry.click()
    assert running.session.join(10)
    running.clock.tick()
    assert running.session.phase is Phase.RUNNING
    assert running.window.banners.isHidden()
    workshop.worker.fail()
    running.clock.tick()
    running.clock.tick()
    assert [fault.count for fault in running.faults.snapshot()] == [2]


def test_problems_of_any_thread_are_counted_in_the_status_bar(lab, qtbot):
    lab.faults.add("from somewhere")
    lab.clock.tick()
    button = lab.window.status.findChild(QAbstractButton)
    assert button.text() == "1 problem"
    button.click()
    assert lab.window.problems.isVisible()
    assert lab.actions["show_problems"].isChecked()
    lab.actions["show_problems"].trigger()
    assert not lab.window.problems.isVisible()


def test_problems_older_than_the_window_are_counted_until_they_are_cleared(open_lab):
    faults = FaultLog()
    faults.add("metalab did not close properly last time")
    lab = open_lab(faults=faults)
    button = lab.window.status.findChild(QAbstractButton)
    assert button.isVisible()
    assert button.text() == "1 problem"
    lab.window.show_problems(shown=True)
    clear = next(
        found
        for found in lab.window.problems.findChildren(QAbstractButton)
        if found.text() == "Clear"
    )
    clear.click()
    lab.clock.tick()
    assert not button.isVisible()


def test_the_theme_changes_everywhere_and_is_remembered(lab, open_lab, qapp):
    assert lab.theme is DARK
    lab.actions["toggle_theme"].trigger()
    assert lab.theme is LIGHT
    assert qapp.palette().window().color().name() == LIGHT.window
    picture = lab.window.grab().toImage()
    assert picture.pixelColor(900, 40).name() == LIGHT.window
    assert open_lab().theme is LIGHT


def test_reset_layout_brings_hidden_parts_back(lab):
    lab.actions["show_experiment"].trigger()
    lab.actions["show_problems"].trigger()
    assert lab.window.experiment.isHidden()
    lab.actions["reset_layout"].trigger()
    assert lab.window.experiment.isVisible()
    assert not lab.window.problems.isVisible()
    assert lab.actions["show_experiment"].isChecked()
    assert not lab.actions["show_problems"].isChecked()


def test_diagnostics_are_hidden_until_asked_for(lab):
    view = lab.window.live.diagnostics
    assert not view.isVisible()
    assert not lab.actions["show_diagnostics"].isChecked()
    lab.actions["show_diagnostics"].trigger()
    assert view.isVisible()
    assert lab.actions["show_diagnostics"].isChecked()
    lab.actions["reset_layout"].trigger()
    assert not view.isVisible()
    assert not lab.actions["show_diagnostics"].isChecked()


def test_search_brings_the_form_and_takes_the_focus(lab, qtbot):
    lab.window.activateWindow()
    lab.actions["show_experiment"].trigger()
    lab.actions["search"].trigger()
    assert lab.window.experiment.isVisible()
    form = lab.window.experiment.form
    qtbot.waitUntil(lambda: form.isAncestorOf(lab.window.focusWidget()), timeout=5000)


def dialog_of(lab, kind: type[QDialog]) -> QDialog:
    return next(d for d in lab.window.findChildren(kind) if d.isVisible())


def test_opening_a_file_shows_its_run(running, workshop, qtbot, tmp_path, monkeypatch):
    running.session.stop()
    workshop.worker.end(RunStatus.STOPPED)
    running.clock.tick()
    history = replace(
        running.session.history, configs=ConfigHistory(small_config(run__seed=7))
    )
    monkeypatch.setattr(engine_access, "stored_history", lambda _: history)
    running.actions["open_file"].trigger()
    dialog = dialog_of(running, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "run.metalab"))
    dialog.close()
    assert running.session.join(10)
    running.clock.tick()
    assert running.session.history is history
    assert running.window.experiment.form.config().run.seed == 7
    assert running.actions["toggle_run"].iconText() == "Resume"
    assert running.preferences.current.folder == str(tmp_path)


def test_a_copy_is_saved_while_the_run_goes_on(running, tmp_path, monkeypatch):
    asked = []

    def save_copy(path, to, bookmarks):
        asked.append((path, to))
        return replace(history, path=to, cut_short=True)

    history = running.session.history
    monkeypatch.setattr(engine_access, "save_copy", save_copy)
    running.actions["save_copy"].trigger()
    dialog = dialog_of(running, QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    dialog.fileSelected.emit(str(tmp_path / "copy.metalab"))
    dialog.close()
    assert not running.actions["save_copy"].isEnabled()
    assert running.session.join(0.1) is False  # the run goes on
    running.clock.tick()
    assert asked == [(history.path, tmp_path / "copy.metalab")]
    spec = running.window.banners.spec
    assert (spec.tone, spec.title) == ("accent", "A copy was saved")
    assert "copy.metalab: complete to outer step" in spec.text
    assert running.actions["save_copy"].isEnabled()


def test_a_copy_that_cannot_be_saved_is_told(running, tmp_path, monkeypatch):
    def refuse(path, to, bookmarks):
        raise RunFileError(f"{to} cannot be written: No space left on device")

    monkeypatch.setattr(engine_access, "save_copy", refuse)
    running.session.save_copy(tmp_path / "copy.metalab")
    running.session.join(0.1)
    running.clock.tick()
    spec = running.window.banners.spec
    assert (spec.tone, spec.title) == ("error", "The copy cannot be saved")
    assert "No space left on device" in spec.text


def test_without_a_run_there_is_nothing_to_copy(lab):
    assert not lab.actions["save_copy"].isEnabled()
    assert "no run in a file yet" in lab.actions["save_copy"].toolTip()


def test_a_foreign_file_is_told_in_a_banner(lab, tmp_path, monkeypatch):
    def refuse(path):
        raise RunFileError(f"{path} is not a metalab run file")

    monkeypatch.setattr(engine_access, "stored_history", refuse)
    lab.session.open_file(tmp_path / "holiday.jpg")
    assert lab.session.join(10)
    lab.clock.tick()
    banners = lab.window.banners
    assert "holiday.jpg is not a metalab run file" in banners.spec.text
    banners.findChild(
        QAbstractButton, options=Qt.FindChildOption.FindDirectChildrenOnly
    )
    banners.dismissed.emit()
    assert banners.isHidden()


def test_the_export_dialog_takes_and_leaves_its_choices(running, qtbot):
    running.window.live.set_task(2)
    running.actions["export"].trigger()
    dialog = next(d for d in running.window.findChildren(QDialog) if d.isVisible())
    assert dialog.choices.task == 2
    before = running.preferences.current.export
    box = next(b for b in dialog.findChildren(QComboBox) if b.isEnabled())
    box.setCurrentIndex((box.currentIndex() + 1) % box.count())
    dialog.reject()
    assert running.preferences.current.export != before


def test_the_plot_with_the_focus_is_copied(running, qapp):
    qapp.clipboard().clear()
    running.actions["copy_plot"].trigger()
    assert not qapp.clipboard().image().isNull()


def test_an_experiment_is_copied_and_pasted_as_a_code(lab, qapp):
    config = small_config(run__seed=9)
    lab.session.config_replaced.emit(config, config)
    lab.session.set_config(config)
    lab.actions["copy_code"].trigger()
    code = qapp.clipboard().text()
    lab.session.open_preset("reptile-sine")
    lab.window.show_experiment(shown=False)
    qapp.clipboard().setText(f"  {code}\n")
    lab.actions["paste_code"].trigger()
    form = lab.window.experiment.form
    assert form.config() == lab.session.config == config
    assert lab.window.experiment.isVisible()
    # It is told apart from the preset that it comes from.
    assert "differ from maml-sine" in form.findChild(FormHeader).summary


def test_what_is_no_code_is_told_and_changes_nothing(lab, qapp):
    before = lab.session.config
    qapp.clipboard().setText("a poem")
    lab.actions["paste_code"].trigger()
    assert "share code is 'a poem'" in lab.window.banners.spec.text
    assert lab.session.config is before
    qapp.clipboard().setText(engine_access.share_code(before))
    lab.actions["paste_code"].trigger()
    assert lab.window.banners.isHidden()


def test_an_experiment_that_is_not_allowed_has_no_code(lab):
    lab.session.set_invalid("inner.inner_lr is -1")
    assert not lab.actions["copy_code"].isEnabled()
    assert "inner.inner_lr is -1" in lab.actions["copy_code"].toolTip()


def test_everything_that_can_be_reached_by_tab_has_a_name(running):
    window = running.window
    for button in window.findChildren(QAbstractButton):
        tabbed = button.focusPolicy() & Qt.FocusPolicy.TabFocus
        if button.isVisible() and tabbed and button.objectName() != "qt_spinbox":
            named = button.text() or button.accessibleName()
            assert named, f"{button} in {button.parent()}"


def test_the_name_never_says_that_a_changed_experiment_is_the_preset(lab, qtbot):
    """After cards and lessons, another family, and another K."""
    for config, title in (
        (preset_config("imaml-sine"), "imaml-sine"),
        (
            with_overrides(
                preset_config("imaml-sine"), [("tasks.family", "quadratic-bowl")]
            ),
            "imaml-sine, family quadratic-bowl",
        ),
        (
            with_overrides(preset_config("maml-sine"), [("inner.num_inner_steps", 50)]),
            "maml-sine, num_inner_steps 50",
        ),
        *(
            (config_of(told), experiment_name(config_of(told)))
            for told in (*all_cards().values(), *own_lessons().values())
        ),
    ):
        lab.session.replace(config)
        summary = header(lab.window.experiment.form).summary
        preset = reference_of(config).name
        assert lab.window.windowTitle() == f"{title} — metalab"
        assert lab.session.reference == preset_config(preset)
        assert (summary == f"Same as {preset}") == (title == preset)
        marked = [a for a in lab.window.presets.presets if a.isChecked()]
        assert [action.objectName() for action in marked] == [preset]


def test_differences_are_listed_by_keys_and_lead_to_the_form(lab, qtbot):
    lab.session.replace(
        with_overrides(preset_config("maml-sine"), [("outer.num_steps", 9)])
    )
    lab.actions["differences"].trigger()
    dialog = lab.window.findChild(DifferencesDialog)
    assert dialog.shown == [("Outer steps", "9", "70,000")]
    dialog.tree.setCurrentItem(dialog.tree.topLevelItem(0).child(0))
    QTest.keyClick(dialog.tree, Qt.Key.Key_Return)
    editor = lab.window.experiment.form.row("outer.num_steps").editor
    qtbot.waitUntil(
        lambda: editor.isAncestorOf(QApplication.focusWidget() or lab.window)
    )


def test_every_page_is_handed_the_basket_of_the_window(open_lab, monkeypatch):
    handed = {}

    def take(page, basket):
        handed[type(page).__name__] = basket

    monkeypatch.setattr(Workspace, "set_basket", take)
    lab = open_lab()
    assert handed == {"LiveWorkspace": lab.basket}
    lab.window.workspaces.show_page("structure")
    assert handed["StructureWorkspace"] is lab.basket
    assert len(handed) == 2
