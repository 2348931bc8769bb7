"""Fields on their own: typing, stepping, the wheel."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from metalab.catalog.slots import HYPERGRADIENTS
from metalab.experiment.fields import FieldInfo
from metalab.ui.forms.editors import ChoiceBox, Editor, TextField, editor_for
from metalab.ui.forms.number_box import NumberBox
from metalab.ui.forms.reading import Unread
from metalab.ui.forms.text_entry import UnitLabel

Place = Callable[..., Any]


@pytest.fixture
def place(shown: Callable[[QWidget], None], infos: dict[str, FieldInfo]) -> Place:
    """Put the editor of a field into a window, next to another that takes the focus."""
    window = QWidget()
    layout = QVBoxLayout(window)

    def put(path: str, *, focused: bool = True, **changes: Any) -> Editor:
        other = editor_for(infos["run.seed"], window)
        editor = editor_for(replace(infos[path], **changes), window)
        layout.addWidget(other)
        layout.addWidget(editor)
        shown(window)
        (editor if focused else other).setFocus()
        return editor

    return put


def turn_wheel(widget: QWidget) -> bool:
    """Turn the wheel up one notch over a widget; return whether it took the event."""
    centre = widget.rect().center()
    event = QWheelEvent(
        QPointF(centre),
        QPointF(widget.mapToGlobal(centre)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("inner.num_inner_steps", NumberBox),
        ("inner.inner_lr", NumberBox),
        ("model.hidden_sizes", TextField),
        ("model.activation", ChoiceBox),
        ("outer.optimizer.kind", ChoiceBox),
    ],
)
def test_the_type_of_a_setting_decides_its_editor(
    path: str, kind: type, infos: dict[str, FieldInfo], qtbot: QtBot
) -> None:
    editor = editor_for(infos[path])
    qtbot.addWidget(editor)
    assert isinstance(editor, kind)
    assert editor.value == infos[path].value


def test_typing_counts_on_return(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "1e-3")
    assert box.value == 0.01
    with qtbot.waitSignal(box.value_edited, timeout=1000) as heard:
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert heard.args == [0.001]
    assert box.text() == "0.001"


def test_typing_counts_on_leaving(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "2")
    with qtbot.waitSignal(box.value_edited, timeout=1000) as heard:
        qtbot.keyClick(box, Qt.Key.Key_Backtab)
    assert heard.args == [2.0]


def test_a_commit_leaves_the_text_as_it_is(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "0.10")
    box.commit()
    assert box.value == 0.1
    assert box.text() == "0.10"


def test_discarded_typing_is_forgotten(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "7")
    box.discard()
    assert box.text() == "0.01"
    with qtbot.assertNotEmitted(box.value_edited):
        box.commit()


def test_what_cannot_be_read_stays(place: Place, qtbot: QtBot) -> None:
    box = place("inner.num_inner_steps")
    box.selectAll()
    qtbot.keyClicks(box, "two")
    with qtbot.waitSignal(box.value_edited, timeout=1000) as heard:
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert heard.args == [Unread("two")]
    assert box.text() == "two"


def test_focus_shows_the_exact_value_and_never_changes_it(
    place: Place, qtbot: QtBot
) -> None:
    box = place("tasks.family.phase_max", focused=False)
    assert box.text() == "3.14159…"
    with qtbot.assertNotEmitted(box.value_edited):
        box.setFocus()
        assert box.text() == "3.141592653589793"
        box.clearFocus()
    assert box.text() == "3.14159…"


def test_thousands_are_apart_only_for_reading(place: Place) -> None:
    box = place("outer.num_steps", focused=False)
    assert box.text() == "70,000"
    box.setFocus()
    assert box.text() == "70000"


def test_arrows_multiply_on_a_log_scale(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    seen: list[float] = []
    box.value_edited.connect(seen.append)
    keys = [Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down]
    for key in [*keys, Qt.Key.Key_PageUp]:
        qtbot.keyClick(box, key)
    assert seen == [0.0316, 0.1, 0.0316, 0.01, 0.1]


def test_arrows_count_and_stop_at_the_bound(place: Place, qtbot: QtBot) -> None:
    box = place("inner.num_inner_steps")
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.value == 2
    qtbot.keyClick(box, Qt.Key.Key_PageDown)
    assert box.value == 1
    flags = box.stepEnabled()
    assert flags == box.StepEnabledFlag.StepUpEnabled


def test_arrows_go_on_from_what_is_typed(place: Place, qtbot: QtBot) -> None:
    box = place("inner.num_inner_steps")
    box.selectAll()
    qtbot.keyClicks(box, "7")
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.value == 8


@pytest.mark.parametrize(
    "path", ["inner.inner_lr", "inner.num_inner_steps", "outer.optimizer.kind"]
)
def test_the_wheel_is_for_scrolling_without_the_focus(
    path: str, place: Place, qtbot: QtBot
) -> None:
    editor = place(path, focused=False)
    before = editor.value
    with qtbot.assertNotEmitted(editor.value_edited):
        assert not turn_wheel(editor)
    assert editor.value == before


def test_the_wheel_steps_with_the_focus(place: Place) -> None:
    box = place("inner.num_inner_steps")
    assert turn_wheel(box)
    assert box.value == 2


def test_a_line_takes_whole_numbers_with_commas(place: Place, qtbot: QtBot) -> None:
    line = place("model.hidden_sizes")
    line.selectAll()
    qtbot.keyClicks(line, "64,32 ,16")
    with qtbot.waitSignal(line.value_edited, timeout=1000) as heard:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert heard.args == [(64, 32, 16)]
    assert line.text() == "64, 32, 16"


def test_a_line_takes_a_word(place: Place, qtbot: QtBot) -> None:
    line = place("model.hidden_sizes", value="deep", value_type=str)
    assert isinstance(line, TextField)
    line.selectAll()
    qtbot.keyClicks(line, "wide")
    with qtbot.waitSignal(line.value_edited, timeout=1000) as heard:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert heard.args == ["wide"]


def test_a_choice_shows_titles_and_reports_names(place: Place, qtbot: QtBot) -> None:
    box = place("hypergradient.kind")
    assert box.currentText() == "Unrolled (exact)"
    with qtbot.waitSignal(box.value_edited, timeout=1000) as heard:
        qtbot.keyClick(box, Qt.Key.Key_Up)
    names = list(HYPERGRADIENTS.components)
    assert heard.args == [names[names.index("unrolled") - 1]]


def test_a_field_may_be_destroyed_with_the_focus(place: Place, qtbot: QtBot) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "3")
    with qtbot.waitSignal(box.destroyed, timeout=1000):
        box.deleteLater()


@pytest.mark.parametrize("focused", [False, True])
def test_nought_that_switches_off_says_off_and_has_no_unit(
    place: Place, focused: bool
) -> None:
    box = place("outer.warmup_steps", focused=focused)
    (unit,) = box.findChildren(UnitLabel)
    assert box.text() == "off"
    assert not unit.isVisible()
    box.show_value(5)
    assert box.text() == "5"
    assert unit.isVisible()


@pytest.mark.parametrize(
    ("path", "before", "typed", "value", "reads"),
    [
        ("outer.warmup_steps", 40, "off", 0, "off"),
        ("outer.clip_norm", 2.5, "OFF", 0.0, "off"),
        ("outer.clip_norm", 2.5, "0", 0.0, "off"),
        ("inner.inner_batch_size", 5, "all shots", 0, "all shots"),
        ("inner.inner_batch_size", 5, "off", 0, "all shots"),
        ("run.seed", 5, "0", 0, "0"),
    ],
)
def test_off_can_be_typed(
    path: str,
    before: float,
    typed: str,
    value: float,
    reads: str,
    place: Place,
    qtbot: QtBot,
) -> None:
    box = place(path, value=before)
    box.selectAll()
    with qtbot.waitSignal(box.value_edited) as edited:
        qtbot.keyClicks(box, typed)
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert edited.args == [value]
    assert type(box.value) is type(value)
    assert box.text() == reads


def test_off_is_no_number_of_a_setting_that_cannot_be_off(
    place: Place, qtbot: QtBot
) -> None:
    box = place("inner.inner_lr")
    box.selectAll()
    qtbot.keyClicks(box, "off")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value == Unread("off")


def test_a_number_typed_after_off_replaces_it(place: Place, qtbot: QtBot) -> None:
    box = place("outer.warmup_steps")
    box.lineEdit().setCursorPosition(2)
    qtbot.keyClicks(box, "12")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value == 12
    qtbot.keyClick(box, Qt.Key.Key_PageDown)
    qtbot.keyClick(box, Qt.Key.Key_PageDown)
    assert (box.value, box.text()) == (0, "off")
    assert not box.stepEnabled() & QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
