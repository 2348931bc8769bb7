"""Views need an application and a style; histories are made by hand."""

import pytest
from PySide6.QtWidgets import QApplication

from metalab.ui.style.theme import DARK
from metalab.ui.style.theming import apply_theme


@pytest.fixture(autouse=True)
def _style(qapp: QApplication) -> None:
    apply_theme(qapp, DARK)
