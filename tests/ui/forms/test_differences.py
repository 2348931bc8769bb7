"""The list of what differs between two experiments, with real keys and clicks."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from metalab.experiment.changes import all_differences
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.forms.differences import DifferencesDialog

pytestmark = pytest.mark.gui

CONFIG = with_overrides(
    preset_config("maml-sine"), [("tasks.num_shots", 3), ("outer.num_steps", 12_000)]
)


@pytest.fixture
def dialog(qtbot) -> DifferencesDialog:
    others = [(name, preset_config(name)) for name in ("maml-sine", "imaml-sine")]
    dialog = DifferencesDialog(CONFIG, "mine", others)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_it_lists_what_differs_from_the_preset(dialog: DifferencesDialog):
    assert dialog.shown == [("Shots", "3", "10"), ("Outer steps", "12,000", "70,000")]
    assert dialog.summary == "2 settings differ"


def test_another_one_is_chosen_with_the_keys(dialog: DifferencesDialog):
    QTest.keyClick(dialog.choice, Qt.Key.Key_Down)
    expected = all_differences(CONFIG, preset_config("imaml-sine"))
    assert [row[0] for row in dialog.shown] == [c.info.spec.label for c in expected]
    ours = {label: value for label, value, _ in dialog.shown}
    assert ours["Proximal strength"] == "–"
    assert dialog.summary == f"{len(expected)} settings differ"


def test_return_shows_a_setting_in_the_form(dialog: DifferencesDialog, qtbot):
    group = dialog.tree.topLevelItem(1)
    dialog.tree.setCurrentItem(group.child(0))
    with qtbot.waitSignal(dialog.setting_chosen) as chosen:
        QTest.keyClick(dialog.tree, Qt.Key.Key_Return)
    assert chosen.args == ["outer.num_steps"]
    assert not dialog.isVisible()


def test_the_same_experiment_differs_in_nothing(qtbot):
    dialog = DifferencesDialog(CONFIG, "mine", [("also mine", CONFIG)])
    qtbot.addWidget(dialog)
    assert dialog.shown == []
    assert dialog.summary == "No setting differs"
