"""Forms on the screen, with an active window, so that the focus is real."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import FieldInfo, fields_of
from metalab.ui.forms.experiment_form import ExperimentForm


@pytest.fixture
def shown(qtbot: QtBot) -> Callable[[QWidget], None]:
    def show(widget: QWidget) -> None:
        qtbot.addWidget(widget)
        with qtbot.waitActive(widget):
            widget.show()
            widget.activateWindow()

    return show


@pytest.fixture
def preset() -> ExperimentConfig:
    return preset_config("maml-sine")


@pytest.fixture
def infos(preset: ExperimentConfig) -> dict[str, FieldInfo]:
    return {info.path: info for info in fields_of(preset)}


@pytest.fixture
def form(preset: ExperimentConfig, shown: Callable[[QWidget], None]) -> ExperimentForm:
    widget = ExperimentForm(preset)
    widget.resize(300, 800)
    shown(widget)
    return widget


@pytest.fixture
def enter(qtbot: QtBot) -> Callable[..., None]:
    """Click into a field, select all, type, and press a key (Return unless told)."""

    def type_into(
        form: ExperimentForm,
        path: str,
        text: str,
        end: Qt.Key | None = Qt.Key.Key_Return,
    ) -> None:
        form.reveal(path)
        editor = form.row(path).editor
        assert QApplication.focusWidget() is editor
        qtbot.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        if text:
            qtbot.keyClicks(editor, text)
        else:
            qtbot.keyClick(editor, Qt.Key.Key_Delete)
        if end is not None:
            qtbot.keyClick(editor, end)

    return type_into
