"""The Start page: four experiments that begin with one click."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.ui.learn.start_page import StartPage
from metalab.ui.plot.painting import picture_of
from metalab.ui.workspaces.base import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.runs.record.recent import RunSummary
    from metalab.ui.session.moment import Moment


class StartWorkspace(Workspace):
    """Cards to choose from, whatever run there is.

    Attributes:
        card_chosen: Key of the card whose experiment shall start.
        open_requested: A stored run shall be opened.
        data_requested: A table of a person's own shall be opened.
        tour_requested: The tour shall begin.
        run_chosen: File of the run to show.
        recovery_chosen: Key of what becomes of a run that a crash has left.
    """

    card_chosen = Signal(str)
    open_requested = Signal()
    data_requested = Signal()
    tour_requested = Signal()
    run_chosen = Signal(object)
    recovery_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = StartPage(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.cards)
        self.cards.card_chosen.connect(self.card_chosen)
        self.cards.open_requested.connect(self.open_requested)
        self.cards.data_requested.connect(self.data_requested)
        self.cards.tour_requested.connect(self.tour_requested)
        self.cards.run_chosen.connect(self.run_chosen)
        self.cards.recovery_chosen.connect(self.recovery_chosen)

    def show_moment(self, moment: "Moment | None") -> None:
        """Show the same, whatever run there is."""
        del moment

    def set_choices(
        self,
        runs: "Sequence[RunSummary]",
        recovered: "RunSummary | None",
        *,
        why_not: str,
    ) -> None:
        """Offer what there is to begin with.

        Args:
            runs: The runs that were last written or opened.
            recovered: A run that a crash has left, or None.
            why_not: Why no card can be chosen just now; "" if any can. The experiment in
                the form is of no matter to them: they bring their own.
        """
        self.cards.runs.set_runs(runs)
        self.cards.recovered.set_run(recovered)
        self.cards.set_ready(ready=not why_not, reason=why_not)

    def picture(self) -> QImage:
        """Return the cards as a picture."""
        return picture_of((self.cards,), title="metalab")
