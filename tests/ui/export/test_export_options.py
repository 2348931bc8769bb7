"""What can be chosen about a figure."""

import pytest
from PySide6.QtWidgets import (
    QComboBox,
    QSlider,
)

from metalab.figures.base import FigureChoices
from metalab.figures.registry import figures
from metalab.figures.sizes import SIZES
from metalab.ui.export.options import position_of, share_at
from tests.ui.export.driver import Key, button, choose, named, redrawn


def test_only_what_the_figure_heeds_can_be_chosen(qtbot, open_dialog):
    dialog = open_dialog()
    rows = {
        "task": named(dialog, "Task", QComboBox),
        "x": named(dialog, "X axis", QComboBox),
        "smoothing": named(dialog, "Smoothing", QSlider),
        "legend": named(dialog, "Legend", QComboBox),
        "sort": named(dialog, "Sort by", QComboBox),
        "log_y": button(dialog, "Logarithmic loss"),
    }
    for name, spec in figures().items():
        choose(qtbot, dialog, "Figure", spec.title)
        assert dialog.options.figure == name
        visible = {field for field, widget in rows.items() if widget.isVisible()}
        # What a person has moved is no choice of the dialog.
        assert visible == spec.heeds - {"moved"}


@pytest.mark.slow
def test_every_choice_reaches_the_figure(qtbot, open_dialog):
    dialog = open_dialog()
    slider = named(dialog, "Smoothing", QSlider)
    for act, field, value in (
        (lambda: choose(qtbot, dialog, "X axis", "Tasks seen"), "x", "tasks seen"),
        (lambda: choose(qtbot, dialog, "Legend", "Right"), "legend", "right"),
        (lambda: qtbot.keyClick(slider, Key.Key_Home), "smoothing", 0),
        (
            lambda: qtbot.keyClick(button(dialog, "Logarithmic loss"), Key.Key_Space),
            "log_y",
            False,
        ),
    ):
        redrawn(qtbot, dialog, act)
        assert getattr(dialog.choices, field) == value
    redrawn(qtbot, dialog, lambda: choose(qtbot, dialog, "Size", SIZES["square"].title))
    choose(qtbot, dialog, "Figure", figures()["adaptation"].title)
    box = named(dialog, "Task", QComboBox)
    assert box.count() == 16
    redrawn(qtbot, dialog, lambda: box.setCurrentIndex(7))
    assert dialog.choices == FigureChoices(
        task=7, log_y=False, smoothing=0, x="tasks seen", legend="right"
    )


def test_choices_that_are_passed_in_stay_as_they_are(open_dialog):
    choices = FigureChoices(
        task=3, smoothing=0.0512345, log_y=False, x="training time", legend="none"
    )
    dialog = open_dialog(choices=choices)
    assert dialog.choices == choices
    assert named(dialog, "Task", QComboBox).currentIndex() == 3
    assert not button(dialog, "Logarithmic loss").isChecked()


def test_the_slider_spans_no_to_strong_smoothing():
    shares = [share_at(position) for position in range(41)]
    assert shares == sorted(set(shares))
    assert (shares[0], shares[1], shares[-1]) == (0, 0.005, 0.5)
    assert [position_of(share) for share in shares] == list(range(41))
