"""Export dialogs that are shown, waited for, and closed in the end."""

import pytest

from metalab.ui.export.dialog import ExportDialog
from metalab.ui.export.settings import ExportSettings
from tests.figures.histories import make_history
from tests.ui.export.driver import drawn, ended


@pytest.fixture(scope="module")
def history():
    return make_history()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    return folder


@pytest.fixture
def open_dialog(qtbot, history, folder):
    """Open dialogs, wait for their first preview, close them in the end."""
    opened = []

    def open_one(*, shown=history, choices=None, **settings):
        dialog = ExportDialog(
            shown,
            choices=choices,
            settings=ExportSettings(**{"folder": str(folder), **settings}),
        )
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: drawn(dialog), timeout=20_000)
        opened.append(dialog)
        return dialog

    yield open_one
    for dialog in opened:
        dialog.reject()
        assert not dialog.isVisible()
        assert ended(dialog)
