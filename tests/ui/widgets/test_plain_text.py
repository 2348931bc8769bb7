"""Names that look like markup."""

import pytest
from PySide6.QtGui import Qt

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.forms.differences import DifferencesDialog
from metalab.ui.widgets.plain_text import plain_tip

HOSTILE = '<img src="file:/dev/zero">'


@pytest.mark.parametrize("text", ["maml-sine", "K < 5", "", "one\ntwo", "/home/a b/c"])
def test_plain_words_stay_as_they_are(text: str):
    assert plain_tip(text) == text


def test_markup_is_shown_letter_by_letter():
    shown = plain_tip(HOSTILE)
    assert Qt.mightBeRichText(shown)
    assert "<img" not in shown
    assert "&lt;img src=" in shown


def test_no_tooltip_of_the_differences_holds_a_name_as_markup(qtbot):
    config = preset_config("maml-sine")
    other = with_overrides(config, [("outer.num_tasks", 3)])
    dialog = DifferencesDialog(config, HOSTILE, [(HOSTILE, other)])
    qtbot.addWidget(dialog)
    tree = dialog._tree
    head = tree.headerItem()
    tips = [head.toolTip(column) for column in range(tree.columnCount())]
    assert sum("&lt;img" in tip for tip in tips) == 2
    assert not any("<img" in tip for tip in tips)
