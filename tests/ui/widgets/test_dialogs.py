"""About, and the question at the end."""

from PySide6.QtWidgets import QLabel, QPushButton

import metalab
from metalab.runs.system.home import runs_folder
from metalab.ui.widgets.dialogs import AboutDialog, LeaveDialog, Question

KEPT = Question(title="A run", text="It is kept. " * 30, accept="&Stop and save")
LOST = Question(title="A run", text="It is gone.", accept="&Go on", remembers=False)


def texts(dialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel)]


def test_about_tells_versions_and_where_runs_are(qtbot):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    shown = "\n".join(texts(dialog))
    assert metalab.__version__ in shown
    assert str(runs_folder()) in shown
    for name in ("Python", "Qt", "torch"):
        assert name in shown


def test_the_question_has_a_safe_answer_at_hand(qtbot):
    for question, safe in ((KEPT, "&Stop and save"), (LOST, "Cancel")):
        dialog = LeaveDialog(question)
        qtbot.addWidget(dialog)
        default = [b.text() for b in dialog.findChildren(QPushButton) if b.isDefault()]
        assert default == [safe]
        assert not dialog.remember


def test_no_dialog_is_larger_than_the_smallest_window(qtbot):
    for dialog in (AboutDialog(), LeaveDialog(KEPT)):
        qtbot.addWidget(dialog)
        hint = dialog.sizeHint()
        assert hint.width() <= 1100
        assert hint.height() <= 700
