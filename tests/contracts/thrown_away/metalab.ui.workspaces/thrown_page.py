"""A page that says how many outer steps were made."""

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout

from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.spec import WorkspaceSpec

PAGE = WorkspaceSpec(
    key="thrown-page",
    place=10,
    text="Thro&wn",
    tooltip="See the number of outer steps",
    page="metalab.ui.workspaces.thrown_page:ThrownPage",
)


class ThrownPage(Workspace):
    """One label."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.label = QLabel("-", self)
        QVBoxLayout(self).addWidget(self.label)

    def show_moment(self, moment):
        self.label.setText("-" if moment is None else str(moment.history.step))

    def picture(self) -> QImage:
        return self.label.grab().toImage()
