"""The badge beside the tabs: every page shows the past, and a click returns."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QToolButton, QWidget

from metalab.ui.style.theming import follow_theme

if TYPE_CHECKING:
    from metalab.ui.session.moment import Moment
    from metalab.ui.style.theme import Theme


class MomentBadge(QToolButton):
    """Says which outer step is shown while it is not the newest; hidden otherwise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("Every page shows an earlier outer step; click for the newest")
        self.setAccessibleName("Show the newest outer step")
        self.hide()
        follow_theme(self._take_theme)

    def show_moment(self, moment: "Moment | None") -> None:
        """Take in where the window stands."""
        past = moment is not None and moment.past
        if past and moment is not None:
            text = "Past: outer step {} of {}".format(
                f"{moment.wanted_step:,}", f"{moment.history.step:,}"
            )
            if text != self.text():
                self.setText(text)
                self.setAccessibleName(text)
        if self.isHidden() == past:
            self.setVisible(past)

    def _take_theme(self, theme: "Theme") -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.ButtonText, theme.accent)
        self.setPalette(palette)
