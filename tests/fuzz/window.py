"""A window that is given one person's choices after another's."""

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from metalab.experiment.config import preset_config
from metalab.ui.export.target import ExportTarget
from metalab.ui.forms.experiment_form import ExperimentForm
from metalab.ui.style.theme import THEMES
from metalab.ui.workspaces.live.workspace import LiveWorkspace
from metalab.ui.workspaces.tabs import WorkspaceTabs

if TYPE_CHECKING:
    from metalab.ui.shell.preferences import Preferences


@cache
def _application() -> QApplication:
    return QApplication.instance() or QApplication([])  # pyright: ignore[reportReturnType]


@cache
def _pages() -> WorkspaceTabs:
    _application()
    return WorkspaceTabs(LiveWorkspace())


@cache
def _form() -> ExperimentForm:
    _application()
    return ExperimentForm(preset_config("maml-sine"))


def opened_with(preferences: "Preferences") -> None:
    """Give choices to everything in a window that takes some."""
    assert THEMES[preferences.theme]
    pages = _pages()
    pages.restore_state(preferences.workspaces)
    for key in ("live", "adapt", "landscape", "estimators", "structure"):
        page, state = pages.page(key), preferences.workspaces.get(key)
        page.restore_state(state if isinstance(state, dict) else {})
    _form().set_folds(preferences.folds)
    ExportTarget(settings=preferences.export).deleteLater()
    _application().processEvents()
