"""Asks where a film goes."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from metalab.figures.animation.choices import FORMATS
from metalab.ui.export.target import documents_folder


def ask_for_file(
    parent: QWidget, stem: str, suffix: str, then: Callable[[Path], None]
) -> None:
    """Open a dialog for the name of a file.

    Args:
        parent: The dialog that asks.
        stem: A name for the film, which tells run and figure.
        suffix: Of the format.
        then: Called with the path, if one is chosen.
    """

    def chosen(name: str) -> None:
        then(Path(name))

    title = QCoreApplication.translate("AnimationDialog", "Export animation as")
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(f"{FORMATS[suffix]} (*{suffix})")
    dialog.setDefaultSuffix(suffix.removeprefix("."))
    dialog.setDirectory(str(documents_folder()))
    dialog.selectFile(stem + suffix)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.open()
