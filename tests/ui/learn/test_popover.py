"""The `?` of a setting, and what it opens."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.forms.experiment_form import ExperimentForm
from metalab.ui.learn.popover import FormulaView, TermButton, TermPopover
from metalab.ui.learn.terms import all_terms
from metalab.ui.style.theme import THEMES

LR = "inner.inner_lr"

# The offscreen platform has neither a stack of windows nor a keyboard to grab.
pytestmark = pytest.mark.qt_log_ignore(
    "This plugin does not support raise", "This plugin does not support grabbing"
)


@pytest.fixture
def button(shown: Callable[[QWidget], None]) -> Iterator[TermButton]:
    window = QWidget()
    made = TermButton(all_terms()["hypergradient"])
    QVBoxLayout(window).addWidget(made)
    shown(window)
    yield made
    window.close()


def gone(button: TermButton) -> bool:
    """Return whether the popover has been deleted."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return button.popover is None


def opened(qtbot: QtBot, button: TermButton) -> TermPopover:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.popover is not None
    return button.popover


def test_a_click_shows_title_formula_and_sentence(qtbot: QtBot, button: TermButton):
    popover = opened(qtbot, button)
    term = button.term
    assert popover.isVisible()
    assert popover.accessibleName() == term.term
    assert {term.term, term.sentence} <= {
        label.text() for label in popover.findChildren(QLabel)
    }
    formula = popover.findChild(FormulaView)
    assert formula is not None
    assert formula.isVisible()
    assert term.formula in formula.accessibleName()
    # Nothing is cut off.
    for part in popover.findChildren(QWidget):
        assert popover.rect().contains(part.geometry())


def test_escape_closes_it(qtbot: QtBot, button: TermButton):
    popover = opened(qtbot, button)
    qtbot.keyClick(popover.see_button, Qt.Key.Key_Escape)
    assert gone(button)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, None])
def test_see_it_names_the_workspace_and_closes(qtbot: QtBot, button: TermButton, key):
    popover = opened(qtbot, button)
    assert popover.see_button.hasFocus()
    with qtbot.waitSignal(button.see_requested) as asked:
        if key is None:
            qtbot.mouseClick(popover.see_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(popover.see_button, key)
    assert asked.args == ["estimators"]
    assert gone(button)


def test_a_term_without_formula_has_no_empty_place(qtbot: QtBot):
    popover = TermPopover(all_terms()["device"])
    qtbot.addWidget(popover)
    assert popover.findChild(FormulaView) is None


def test_it_stays_on_the_screen(qtbot: QtBot, button: TermButton):
    room = button.screen().availableGeometry()
    button.window().move(room.bottomRight() - QPoint(30, 30))
    popover = opened(qtbot, button)
    assert room.contains(popover.geometry())


def test_a_deleted_button_takes_its_popover_along(qtbot: QtBot, button: TermButton):
    popover = opened(qtbot, button)
    with qtbot.waitSignal(popover.destroyed):
        button.deleteLater()


@pytest.fixture
def form(shown: Callable[[QWidget], None]) -> ExperimentForm:
    widget = ExperimentForm(preset_config("maml-sine"))
    widget.resize(300, 800)
    shown(widget)
    return widget


def test_every_row_of_the_form_has_one_beside_its_field(form: ExperimentForm):
    for path in ("tasks.num_shots", "model.kind", LR):
        row = form.row(path)
        button = row.help_button
        assert button is not None
        assert button.geometry().right() < row.editor.geometry().left()
        centre = row.editor.geometry().center().y()
        assert abs(button.geometry().center().y() - centre) <= 1


def test_a_row_opens_it_by_keys_and_passes_the_wish_on(
    qtbot: QtBot, form: ExperimentForm
):
    form.reveal(LR)
    row = form.row(LR)
    assert QApplication.focusWidget() is row.editor
    qtbot.keyClick(row.editor, Qt.Key.Key_F1, Qt.KeyboardModifier.ControlModifier)
    button = row.help_button
    assert button is not None
    assert button.popover is not None
    with qtbot.waitSignal(form.see_requested) as asked:
        qtbot.keyClick(button.popover.see_button, Qt.Key.Key_Return)
    assert asked.args == ["adapt"]
    assert gone(button)


def test_the_dot_of_a_difference_has_the_place_until_the_mouse_comes(
    qtbot: QtBot, form: ExperimentForm
):
    row = form.row(LR)
    button = row.help_button
    assert button is not None

    def shows_dot() -> bool:
        """Return whether a disc is painted, which fills its centre; a `?` does not."""
        row.repaint()
        spot = button.geometry().center()
        around = [QPoint(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        image = row.grab().toImage()
        accents = {THEMES[name].accent for name in THEMES}
        return all(image.pixelColor(spot + by).name() in accents for by in around)

    assert not shows_dot()
    changed = with_overrides(preset_config("maml-sine"), [(LR, 0.02)])
    form.set_config(changed, reference=preset_config("maml-sine"))
    form.reveal(LR)
    assert shows_dot()
    qtbot.mouseMove(button)
    qtbot.waitUntil(lambda: not shows_dot())
    qtbot.mouseMove(row.editor)
    qtbot.waitUntil(shows_dot)
