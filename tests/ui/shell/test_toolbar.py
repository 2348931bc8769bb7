"""The toolbar."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from metalab.catalog.recipes import FAMILIES
from metalab.ui.session.phase import Phase
from metalab.ui.shell.tool_buttons import ToolbarButton
from tests.support.fake_worker import small_config

pytestmark = pytest.mark.gui


@pytest.fixture
def toolbar(lab):
    lab.session.set_config(small_config())
    return lab.window.toolbar


def test_every_button_has_a_name_and_a_tooltip(toolbar):
    buttons = toolbar.findChildren(ToolbarButton)
    assert len(buttons) == 8
    for button in buttons:
        assert button.text()
        assert button.toolTip()
        assert not button.icon().isNull()
        assert "(" in button.toolTip()


def test_the_run_button_keeps_its_width(toolbar, lab):
    widths, texts = set(), set()
    for _ in range(3):
        widths.add(toolbar.run_button.sizeHint().width())
        texts.add(toolbar.run_button.text())
        toolbar.run_button.click()
    assert len(widths) == 1
    assert {"Run", "Pause"} < texts


def test_nothing_is_folded_away_in_the_smallest_window(toolbar, lab, qtbot):
    lab.window.resize(lab.window.minimumSize())
    extension = toolbar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert extension is None or not extension.isVisible()
    for button in toolbar.findChildren(ToolbarButton):
        assert button.isVisible()


def test_the_step_button_remembers_how_many(toolbar, lab, workshop, open_lab):
    menu = toolbar.step_button.menu()
    texts = [action.iconText() for action in menu.actions()]
    assert texts == ["Step 1", "Step 10", "Step 100"]
    menu.actions()[1].trigger()
    assert toolbar.step_button.text() == "Step 10"
    assert lab.preferences.current.step_size == 10
    toolbar.step_button.click()
    assert workshop.worker.control.turn().num_steps == 20
    assert open_lab().window.toolbar.step_button.text() == "Step 10"


def test_shift_and_reset_draw_a_new_seed(toolbar, lab, workshop, qtbot, monkeypatch):
    lab.session.toggle_run()
    workshop.worker.play(6)
    lab.clock.tick()
    held = Qt.KeyboardModifier.ShiftModifier
    monkeypatch.setattr(
        "metalab.ui.shell.commands.QGuiApplication.keyboardModifiers", lambda: held
    )
    lab.actions["reset"].trigger()
    lab.replacing.dialog.accept()
    assert lab.session.config.run.seed != small_config().run.seed
    form = lab.window.experiment.form
    assert form.config().run.seed == lab.session.config.run.seed


def test_presets_come_from_the_catalog(toolbar, lab):
    entries = lab.window.presets.presets
    names = [action.objectName() for action in entries]
    assert {"maml-sine", "fomaml-sine", "reptile-sine"} <= set(names)
    assert all(action.toolTip() for action in entries)
    assert [a.objectName() for a in entries if a.isChecked()] == ["maml-sine"]


def test_presets_stand_by_family_and_the_family_of_the_current_one_is_ticked(lab):
    menu = lab.window.presets
    families = [action.text() for action in menu.actions()]
    assert families == list(FAMILIES)
    lab.session.open_preset("alpaca-sine")
    ticked = [action for action in menu.actions() if action.isChecked()]
    assert [action.text() for action in ticked] == ["Closed-form heads"]
    rows = {a.objectName(): a for a in ticked[0].menu().actions() if a.objectName()}
    assert set(rows) == {
        *("alpaca-sine", "alpaca-gapminder", "ridge-sine"),
        "ridge-hyperparameter",
    }
    assert [name for name, row in rows.items() if row.isChecked()] == ["alpaca-sine"]
    most = max(len(action.menu().actions()) for action in menu.actions())
    assert most <= 13


def test_every_preset_is_reached_with_keys_alone(lab, qtbot):
    menu = lab.window.presets
    lab.session.open_preset("maml-sine")
    menu.popup(lab.window.mapToGlobal(lab.window.rect().topLeft()))
    for _ in range(FAMILIES.index("Closed-form heads") + 1):
        QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Right)
    (below,) = (a.menu() for a in menu.actions() if a.text() == "Closed-form heads")
    qtbot.waitUntil(below.isVisible)
    QTest.keyClick(below, Qt.Key.Key_Down)
    chosen = below.activeAction().objectName()
    assert chosen != "maml-sine"
    QTest.keyClick(below, Qt.Key.Key_Return)
    assert lab.session.reference.name == chosen


def test_a_preset_goes_to_the_form_and_is_remembered(toolbar, lab, open_lab):
    entries = {a.objectName(): a for a in lab.window.presets.presets}
    entries["reptile-sine"].trigger()
    assert toolbar.chip.text == "Reptile"
    assert lab.window.experiment.form.config().name == "reptile-sine"
    assert lab.session.phase is Phase.IDLE
    assert "reptile-sine" in lab.window.windowTitle()
    assert open_lab().session.reference.name == "reptile-sine"


def test_the_chip_names_a_combination_without_a_recipe(toolbar, lab):
    lab.session.set_config(small_config(outer__optimizer__kind="sgd"))
    assert toolbar.chip.text == "Custom"
    assert toolbar.chip.accessibleName() == "Algorithm: Custom"
    lab.session.set_config(small_config(hypergradient__kind="first-order"))
    assert toolbar.chip.text == "FOMAML"
    assert "Finn" in toolbar.chip.toolTip()
