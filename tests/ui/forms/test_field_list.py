"""Search, folding, focus and layout of the fields."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from metalab.core.spec import OptionSpec
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import FieldInfo, fields_of, with_overrides
from metalab.ui.forms.experiment_form import ExperimentForm
from metalab.ui.forms.field_list import FieldList
from metalab.ui.forms.number_box import NumberBox
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.style.theming import apply_theme
from tests.ui.forms.asking import KIND, LR, header, visible_paths

Enter = Callable[..., None]


def test_rows_that_go_hand_the_focus_on(
    form: ExperimentForm, enter: Enter, preset: ExperimentConfig
) -> None:
    enter(form, "outer.optimizer.beta1", "0.5")
    form.set_config(with_overrides(preset, [(KIND, "sgd")]))
    focus = QApplication.focusWidget()
    assert focus is not None
    assert form.isAncestorOf(focus)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("beta", ["outer.optimizer.beta1", "outer.optimizer.beta2"]),
        (
            "INNER lr",
            [LR, "outer.inner_ramp_steps", "outer.inner_lr_start_factor"],
        ),
        ("evaluation.num_t", ["evaluation.num_tasks"]),
        ("torch finds", ["run.device"]),
        ("reptile dir", ["hypergradient.kind"]),
    ],
)
def test_search_shows_matching_rows_alone(
    form: ExperimentForm, qtbot: QtBot, words: str, found: list[str]
) -> None:
    before = visible_paths(form)
    form.focus_search()
    search = QApplication.focusWidget()
    assert search is header(form).search
    qtbot.keyClicks(search, words)
    assert visible_paths(form) == found
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert header(form).search.text() == ""
    assert visible_paths(form) == before


def test_search_opens_what_is_folded_and_closes_it_again(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    group = form.group("outer")
    qtbot.mouseClick(group.main.header, Qt.MouseButton.LeftButton)
    assert not form.row("outer.num_steps").isVisible()
    qtbot.keyClicks(header(form).search, "clip")
    clipping = ["inner.inner_clamp", "inner.inner_clip_norm", "outer.clip_norm"]
    assert visible_paths(form) == clipping
    header(form).search.clear()
    assert not group.main.expanded
    assert not group.advanced.expanded


def test_what_is_folded_during_a_search_hides_nothing_found_later(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    group = form.group("outer")
    qtbot.keyClicks(header(form).search, "cli")
    qtbot.mouseClick(group.main.header, Qt.MouseButton.LeftButton)
    assert "outer.clip_norm" not in visible_paths(form)
    qtbot.keyClicks(header(form).search, "p norm")
    assert visible_paths(form) == ["inner.inner_clip_norm", "outer.clip_norm"]
    header(form).search.clear()
    assert group.main.expanded
    assert not group.advanced.expanded


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("learning rate", "outer.optimizer.outer_lr"),
        ("epochs", "outer.num_steps"),
        ("alpaca", "meta.kind"),
        ("hidden layers", "model.hidden_sizes"),
        ("number of tasks", "outer.num_tasks"),
        ("meta-batch size", "outer.num_tasks"),
        ("weight decay", "outer.optimizer.weight_decay"),
        ("bayesian linear", "meta.kind"),
    ],
)
def test_a_setting_is_found_by_what_people_call_it(
    form: ExperimentForm, qtbot: QtBot, words: str, path: str
) -> None:
    qtbot.keyClicks(header(form).search, words)
    assert path in visible_paths(form)
    assert len(visible_paths(form)) < 8


def test_return_in_the_search_goes_to_the_first_match(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    form.focus_search()
    qtbot.keyClicks(header(form).search, "beta")
    qtbot.keyClick(header(form).search, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is form.row("outer.optimizer.beta1").editor


def test_a_search_without_a_match_says_so(form: ExperimentForm, qtbot: QtBot) -> None:
    qtbot.keyClicks(header(form).search, "episode")
    assert visible_paths(form) == []
    assert form.empty_text == "No setting matches “episode”"
    header(form).search.clear()
    assert form.empty_text == ""


def test_a_search_outlives_a_change_of_rows(
    form: ExperimentForm, preset: ExperimentConfig, qtbot: QtBot
) -> None:
    qtbot.keyClicks(header(form).search, "optimizer.momentum")
    form.set_config(with_overrides(preset, [(KIND, "sgd")]))
    assert visible_paths(form) == ["outer.optimizer.momentum"]


def test_reveal_opens_clears_the_search_and_focuses(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    qtbot.keyClicks(header(form).search, "seed")
    form.reveal("outer.clip_norm")
    assert form.row("outer.clip_norm").isVisible()
    assert QApplication.focusWidget() is form.row("outer.clip_norm").editor
    form.reveal("tasks.family")
    assert QApplication.focusWidget() is form.row("tasks.family.kind").editor


def test_reveal_scrolls_to_what_has_just_unfolded(form: ExperimentForm) -> None:
    form.resize(300, 300)
    form.reveal("run.num_threads")
    row = form.row("run.num_threads")
    assert row.visibleRegion().boundingRect().height() == row.height()


def test_labels_stay_on_one_line_in_a_larger_font(
    form: ExperimentForm, qtbot: QtBot
) -> None:
    before = form.row("evaluation.num_tasks").findChild(QLabel)
    assert before is not None
    narrow = before.width()
    font = form.font()
    font.setPointSizeF(font.pointSizeF() * 1.5)
    form.setFont(font)
    form.resize(420, 800)
    label = form.row("evaluation.num_tasks").findChild(QLabel)
    assert label is not None
    qtbot.waitUntil(lambda: label.width() > narrow, timeout=2000)
    needed = label.fontMetrics().horizontalAdvance(label.text())
    assert label.width() >= needed


def test_the_tab_key_follows_the_order_of_the_form(
    form: ExperimentForm, preset: ExperimentConfig, qtbot: QtBot
) -> None:
    form.set_config(with_overrides(preset, [(KIND, "sgd")]))
    form.focus_search()
    visited: list[str] = []
    for _ in range(60):
        widget = QApplication.focusWidget()
        assert widget is not None
        visited.append(widget.objectName())
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    fields = [path for path in visited if "." in path and " " not in path]
    assert fields[: len(visible_paths(form))] == visible_paths(form)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_it_fits_a_narrow_dock(
    form: ExperimentForm, enter: Enter, theme: Any, qtbot: QtBot
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, theme)
    width = 310
    form.resize(width, 800)
    enter(form, "inner.inner_batch_size", "50")
    enter(form, "model.hidden_sizes", "4, x")

    def fits() -> None:
        for row in form.findChildren(QWidget):
            if row.objectName() in ("", "qt_spinbox_lineedit") or not row.isVisible():
                continue
            right = row.mapTo(form, row.rect().topRight()).x()
            assert right < width, row.objectName()
            assert row.height() >= min(row.minimumSizeHint().height(), 20)

    qtbot.waitUntil(fits, timeout=2000)
    # A window of 1,000 pixels leaves 690 for the page.
    assert form.minimumSizeHint().width() <= width


def test_problems_and_differences_are_drawn_in_the_theme_s_colours(
    form: ExperimentForm, enter: Enter, qtbot: QtBot
) -> None:
    def drawn(colour: str) -> bool:
        image = form.row(LR).grab().toImage()
        return any(
            image.pixelColor(x, y).name() == colour
            for x in range(image.width())
            for y in range(image.height())
        )

    form.reveal("run.seed")
    assert not drawn(DARK.accent)
    enter(form, LR, "0.5")
    form.reveal("run.seed")
    qtbot.waitUntil(lambda: drawn(DARK.accent), timeout=2000)
    assert not drawn(DARK.error)
    enter(form, LR, "-1")
    qtbot.waitUntil(lambda: drawn(DARK.error), timeout=2000)


def test_fields_may_go_without_others_coming(
    preset: ExperimentConfig, qtbot: QtBot
) -> None:
    fields = FieldList()
    qtbot.addWidget(fields)
    infos = fields_of(preset)
    fields.set_fields(infos)
    assert list(fields.paths) == [info.path for info in infos]
    kept = fields.row(LR)
    fewer = [info for info in infos if not info.path.startswith("outer.optimizer.b")]
    fields.set_fields(fewer)
    assert list(fields.paths) == [info.path for info in fewer]
    assert fields.row(LR) is kept


def test_a_setting_nobody_has_heard_of_gets_a_row_and_a_group(
    preset: ExperimentConfig, qtbot: QtBot
) -> None:
    spec = OptionSpec(label="Depth", help="How deep.", unit="m", low=0.0)
    new = FieldInfo(
        path="sea.depth", group="sea", value=2.5, value_type=float, spec=spec
    )
    fields = FieldList()
    qtbot.addWidget(fields)
    fields.set_fields([*fields_of(preset), new])
    assert fields.groups["sea"].title == "Sea"
    assert isinstance(fields.row("sea.depth").editor, NumberBox)
