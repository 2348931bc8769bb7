"""The Structure workspace: pointing, walking, numbers, states."""

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from metalab.catalog.recipes import presets
from metalab.engine.events import Diverged
from metalab.experiment.config import preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.edit import Edit
from metalab.experiment.fields import fields_of, with_overrides
from metalab.figures.structure.layout import FRAMES
from metalab.figures.structure.model import GROUPS, PartKey
from metalab.figures.structure.words import DASH
from metalab.runs.record.history import Failure
from metalab.runs.record.status import RunStatus
from metalab.ui.plot.ticks import number_text
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import change_theme
from metalab.ui.widgets.header import PREPARING
from metalab.ui.workspaces.structure.workspace import StructureWorkspace
from tests.support.histories import make_history, starting

MAML = "maml-sine"


@pytest.fixture
def workspace(qtbot: QtBot) -> StructureWorkspace:
    made = StructureWorkspace()
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.show_config(preset_config(MAML))
    return made


def spot(workspace: StructureWorkspace, key: PartKey) -> QPoint:
    """Return a point of a part that no other part covers."""
    layout = workspace.diagram.layout_of_parts()
    place = layout.title_of(key) if key in FRAMES else layout.places[key]
    return place.center().toPoint()


def values(workspace: StructureWorkspace, key: PartKey) -> list[str]:
    text = workspace.diagram.text(key)
    return [text.value, *(line.value for line in text.lines)]


def test_groups_are_those_of_the_form():
    groups = {info.group for info in fields_of(preset_config(MAML))}
    assert set(GROUPS.values()) <= groups
    assert set(GROUPS) == set(PartKey)


@pytest.mark.parametrize("name", [MAML, "imaml-sine"])
def test_a_click_opens_the_group_of_the_part(
    workspace: StructureWorkspace, qtbot: QtBot, name: str
):
    workspace.show_config(preset_config(name))
    for key in workspace.diagram.parts:
        with qtbot.waitSignal(workspace.group_requested) as asked:
            qtbot.mouseClick(
                workspace.diagram,
                Qt.MouseButton.LeftButton,
                pos=spot(workspace, key),
            )
        assert asked.args == [GROUPS[key]], key


def test_tab_walks_through_the_parts_and_on(qtbot: QtBot):
    window = QWidget()
    qtbot.addWidget(window)
    workspace, after = StructureWorkspace(window), QPushButton("after", window)
    layout = QVBoxLayout(window)
    layout.addWidget(workspace)
    layout.addWidget(after)
    window.resize(900, 700)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    workspace.show_config(preset_config(MAML))
    diagram = workspace.diagram
    diagram.setFocus(Qt.FocusReason.TabFocusReason)
    opened: list[str] = []
    workspace.group_requested.connect(opened.append)
    for key in diagram.parts:
        assert diagram.focused is key
        assert diagram.describe(key) in diagram.accessibleDescription()
        qtbot.keyClick(diagram, Qt.Key.Key_Return)
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert opened == [GROUPS[key] for key in diagram.parts]
    assert QApplication.focusWidget() is after
    qtbot.keyClick(after, Qt.Key.Key_Backtab)
    assert diagram.focused is diagram.parts[-1]
    qtbot.keyClick(diagram, Qt.Key.Key_Left)
    assert diagram.focused is diagram.parts[-2]


def test_numbers_follow_the_run(workspace: StructureWorkspace):
    for rows in (10, 20):
        history = make_history(rows, config=preset_config(MAML))
        workspace.show_history(history)
        for key, metric in (
            (PartKey.LOSS, "outer_loss"),
            (PartKey.START, "outer_loss_before"),
            (PartKey.START, "support_loss_before"),
            (PartKey.END, "support_loss_after"),
            (PartKey.HYPERGRADIENT, "hypergradient_norm"),
            (PartKey.META, "meta_parameter_norm"),
        ):
            shown = number_text(float(history.metrics[metric][-1]))
            assert shown in values(workspace, key)
            assert shown in workspace.diagram.summary
        assert f"step {rows} of 70,000" in values(workspace, PartKey.OUTER_LOOP)


def test_without_a_run_numbers_are_dashes(workspace: StructureWorkspace):
    workspace.show_history(None)
    assert values(workspace, PartKey.LOSS)[0] == DASH
    assert "No run yet" in workspace.note
    # What the configuration knows is there all the same.
    assert "0.01" in values(workspace, PartKey.STEP)


def test_before_the_engine_is_there_it_says_so(workspace: StructureWorkspace):
    workspace.show_config(None)
    assert workspace.diagram.message
    assert workspace.diagram.parts == ()
    assert not workspace.grab().isNull()


def test_a_run_without_a_form_is_drawn_from_its_own_settings(
    workspace: StructureWorkspace,
):
    workspace.show_config(None)
    workspace.show_history(make_history(10, config=preset_config("cavia-sine")))
    assert "= 0" in workspace.diagram.text(PartKey.START).title


def test_a_run_that_prepares_says_so(workspace: StructureWorkspace):
    workspace.show_history(
        replace(starting(), configs=ConfigHistory(preset_config(MAML)))
    )
    assert workspace.note == PREPARING


def test_what_went_wrong_is_said(workspace: StructureWorkspace):
    history = make_history(10, config=preset_config(MAML))
    failure = Failure(message="no memory left", traceback="")
    workspace.show_history(replace(history, status=RunStatus.FAILED, failure=failure))
    assert "no memory left" in workspace.note
    diverged = Diverged(step=9, last_good_step=8, quantity="outer_loss", value=1e9)
    workspace.show_history(replace(history, diverged=diverged))
    assert workspace.note == diverged.message


def test_numbers_of_another_method_are_left_out(workspace: StructureWorkspace):
    workspace.show_history(make_history(10, config=preset_config("reptile-sine")))
    assert values(workspace, PartKey.LOSS)[0] == DASH
    assert "another method" in workspace.note
    other = with_overrides(preset_config(MAML), [("inner.inner_lr", 0.02)])
    workspace.show_history(make_history(10, config=other))
    assert values(workspace, PartKey.LOSS)[0] != DASH
    assert "the form differs" in workspace.note


def test_edits_of_the_run_count_as_its_settings(workspace: StructureWorkspace):
    edit = Edit(step=5, path="outer.optimizer.outer_lr", value=0.002)
    history = make_history(
        10,
        config=preset_config(MAML),
        configs=ConfigHistory(preset_config(MAML), (edit,)),
    )
    workspace.show_history(history)
    assert "the form differs" in workspace.note
    workspace.show_config(with_overrides(preset_config(MAML), [(edit.path, 0.002)]))
    assert workspace.note == ""
    assert "0.002" in values(workspace, PartKey.UPDATE)


def test_hidden_it_does_nothing_and_catches_up(workspace: StructureWorkspace):
    workspace.hide()
    workspace.show_history(make_history(10, config=preset_config(MAML)))
    assert values(workspace, PartKey.LOSS)[0] == DASH
    workspace.show()
    assert values(workspace, PartKey.LOSS)[0] != DASH


def test_supervised_training_stands_beside_it(
    workspace: StructureWorkspace, qtbot: QtBot
):
    before = workspace.diagram.layout_of_parts().places[PartKey.OUTER_LOOP]
    with qtbot.waitSignal(workspace.choices_changed):
        workspace.compare.click()
    after = workspace.diagram.layout_of_parts().places[PartKey.OUTER_LOOP]
    assert after.height() < before.height()
    assert "one loop and one loss" in workspace.sentence
    assert "one loop and one loss" in workspace.diagram.accessibleDescription()
    workspace.resize(1300, 800)
    qtbot.waitUntil(lambda: workspace.diagram.width() > 1200)
    wide = workspace.diagram.layout_of_parts().places[PartKey.OUTER_LOOP]
    assert wide.width() < 0.85 * workspace.diagram.width()


def test_choices_are_remembered(qtbot: QtBot, workspace: StructureWorkspace):
    workspace.compare.setChecked(True)
    other = StructureWorkspace()
    qtbot.addWidget(other)
    other.restore_state(workspace.save_state())
    assert other.compare.isChecked()
    for state in ({}, {"compare": "yes"}, {"compare": None}):
        other.restore_state(state)
        assert other.compare.isChecked()


@pytest.mark.parametrize("size", [(700, 450), (1280, 800)])
def test_the_picture_fits_at_every_size_and_for_every_preset(
    workspace: StructureWorkspace, size: tuple[int, int]
):
    workspace.resize(*size)
    for name in presets():
        workspace.show_config(preset_config(name))
        for points in (9.0, 15.0):
            font = QFont(workspace.font())
            font.setPointSizeF(points)
            workspace.diagram.setFont(font)
            places = workspace.diagram.layout_of_parts().places
            outer = places[PartKey.OUTER_LOOP]
            boxes = [key for key in places if key not in FRAMES]
            for key in boxes:
                assert outer.contains(places[key]), (name, key)
                assert places[key].height() > 10, (name, key)
            for first, second in combinations(boxes, 2):
                assert not places[first].intersects(places[second])


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_methods_look_different(workspace: StructureWorkspace, theme):
    change_theme(theme)
    pictures = []
    for name in ("maml-sine", "fomaml-sine", "reptile-sine", "anil-sine", "cavia-sine"):
        workspace.show_config(preset_config(name))
        pictures.append(workspace.diagram.grab().toImage())
    for name in ("meta-sgd-sine", "imaml-sine", "ridge-sine", "pretrain-sine"):
        workspace.show_config(preset_config(name))
        pictures.append(workspace.diagram.grab().toImage())
    for index, picture in enumerate(pictures):
        assert all(picture != other for other in pictures[:index])
    assert not workspace.picture().isNull()


def test_every_part_has_a_sentence(workspace: StructureWorkspace):
    for name in presets():
        workspace.show_config(preset_config(name))
        for key in workspace.diagram.parts:
            assert workspace.diagram.text(key).tip.endswith(".")
        assert workspace.sentence.endswith(".")
