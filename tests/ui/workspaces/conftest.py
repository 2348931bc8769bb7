"""Workspaces need an application and a style."""

import pytest
from PySide6.QtWidgets import QApplication

from metalab.ui.style.theme import DARK
from metalab.ui.style.theming import apply_theme


@pytest.fixture(autouse=True)
def _style(qapp: QApplication) -> None:
    apply_theme(qapp, DARK)
