"""The Landscape workspace: the loss over a plane through the meta-parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.sights import LandscapeSight
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.session import engine_access as engine
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.caption import Caption
from metalab.ui.widgets.empty import EmptyState
from metalab.ui.widgets.header import PanelHeader, preparing
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.landscape.asking import LandscapeAsking
from metalab.ui.workspaces.landscape.choices import Choices, slice_of
from metalab.ui.workspaces.landscape.items import Paths
from metalab.ui.workspaces.landscape.map import LandscapeMap
from metalab.ui.workspaces.landscape.tools import LandscapeTools
from metalab.ui.workspaces.landscape.words import place_words, words_of

if TYPE_CHECKING:
    from metalab.analysis.landscape_request import Landscape, LandscapeRequest
    from metalab.experiment.config import ExperimentConfig
    from metalab.figures.sights import Sight
    from metalab.ui.session.moment import Moment


class LandscapeWorkspace(Workspace):
    """A map of the loss around the meta-parameters at the playhead.

    Attributes:
        asking: The thread that computes.
        map: What is seen.
        tools: What is chosen.
        empty: What is seen without a run.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moment: Moment | None = None
        self._asked: LandscapeRequest | None = None
        self._shown: Landscape | None = None
        self._place: QPointF | None = None
        self._problem = ""
        self._stopped = False
        self.asking = LandscapeAsking(self)
        self.header = PanelHeader("Landscape", self)
        self.map = LandscapeMap(self)
        self.tools = LandscapeTools(self)
        self.caption = Caption(self)
        self.empty = EmptyState((0.72, 1.0), self)
        self._pages = QStackedLayout(self)
        self._arrange()
        self._connect()
        self._say()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        page = QWidget(self)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.map, 1)
        beside = Scrolling(self.tools, page)
        # The map takes what it can get, and the column what its font needs.
        beside.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        middle.addWidget(beside)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addLayout(middle, 1)
        layout.addWidget(self.caption)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)
        self._page = page

    def _connect(self) -> None:
        self.asking.arrived.connect(self._on_arrived)
        self.asking.failed.connect(self._on_failed)
        self.asking.busy_changed.connect(self._draw)
        self.tools.chosen.connect(self._on_chosen)
        self.tools.cancel_clicked.connect(self._on_cancelled)
        self.tools.compute_clicked.connect(self._ask)
        self.map.place_pointed.connect(self._on_place_pointed)
        self.map.plot.zoom_changed.connect(self.header.on_zoom_changed)
        self.header.fit_requested.connect(self.map.plot.fit)
        self.header.copy_requested.connect(self._on_copy)
        self.empty.run_requested.connect(self.run_requested)

    # What the window says

    @property
    def shown(self) -> "Landscape | None":
        """What is on the map."""
        return self._shown

    def show_moment(self, moment: "Moment | None") -> None:
        """Show the landscape around the meta-parameters of a moment."""
        before, self._moment = self._moment, moment
        self._pages.setCurrentWidget(self.empty if moment is None else self._page)
        if (
            moment is None
            or moment.phi is None
            or moment.history.held_out_tasks is None
        ):
            self._clear()
            return
        if not moment.is_of_run_of(before):
            self._clear()
        if self._asked is None or before is None or before.task != moment.task:
            self._ask()
        elif before.phi is not moment.phi:
            self._on_newer_phi(moment)
        elif before.inner_step != moment.inner_step or before.step != moment.step:
            self._draw()

    def show_config(self, config: "ExperimentConfig | None") -> None:
        """Say what would run."""
        if config is not None:
            source = engine.preset_source(config)
            self.empty.set_preset(*(source or (engine.name(config), "")))

    def set_why_not(self, reason: str) -> None:
        """Say whether `run_requested` would be heard."""
        self.empty.set_why_not(reason)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)

    @property
    def figure(self) -> str:
        """Name of the figure of this page."""
        return "landscape"

    def sights(self) -> "Mapping[str, Sight]":
        """Return what is on the map, as far as it is known."""
        moment, shown = self._moment, self._shown
        if moment is None or shown is None:
            return {}
        sight = LandscapeSight(
            history=moment.shown, landscape=shown, inner_step=moment.inner_step
        )
        return {self.figure: sight}

    @property
    def log_colours(self) -> bool:
        """Whether colours go with the logarithm of the loss."""
        return self.tools.choices.log

    def picture(self) -> QImage:
        """Return map and caption as a picture."""
        self.map.plot.point_at_place(None)
        parts = (self.map, self.caption)
        return picture_of(parts, title=self.header.title)

    def save_state(self) -> dict[str, Any]:
        """Return what is chosen."""
        return self.tools.choices.as_state()

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices."""
        choices = self.tools.choices.restored(state)
        self.tools.show_choices(choices)
        self._on_restored()

    def shut_down(self) -> None:
        """Have thread and timer end; returns at once."""
        self.asking.shut_down()

    def join(self) -> None:
        """Wait for the thread, after `shut_down`."""
        self.asking.join()

    # What is asked

    def _ask(self) -> None:
        """Ask for what a person waits for."""
        if self._renew():
            assert self._asked is not None, "there is a question"
            self.asking.ask(self._asked)
            self._draw()

    def _follow(self) -> None:
        """Ask for newer meta-parameters of a run that goes on."""
        if self._renew():
            assert self._asked is not None, "there is a question"
            self.asking.follow(self._asked)

    def _renew(self) -> bool:
        """Put the question anew; return whether there is one."""
        moment = self._moment
        asked = None if moment is None else slice_of(moment, self.tools.choices)
        if asked is not None:
            self._asked, self._problem, self._stopped = asked, "", False
        return asked is not None

    def _on_chosen(self, choices: Choices) -> None:
        before = self._asked
        self.choices_changed.emit()
        asked = None if self._moment is None else slice_of(self._moment, choices)
        if before is None or asked is None:
            return
        if _same_question(before, asked):
            self._draw()
        else:
            self.map.plot.fit()
            self._ask()

    def _on_newer_phi(self, moment: "Moment") -> None:
        if not moment.following or self._shown is None:
            self._ask()
        elif not self._stopped:
            self._follow()

    def _on_restored(self) -> None:
        if self._asked is not None:
            self._ask()

    def _on_arrived(self, landscape: "Landscape") -> None:
        self._shown = landscape
        self._draw()

    def _on_failed(self, error: Exception) -> None:
        self._shown, self._problem = None, str(error)
        self._draw()

    def _on_cancelled(self) -> None:
        self._stopped = True
        self.asking.cancel()

    def _clear(self) -> None:
        self._asked = self._shown = None
        self._problem, self._stopped = "", False
        self.asking.cancel()

    # What is drawn

    def _draw(self) -> None:
        """Draw what is known, and how far it is."""
        shown, choices = self._shown, self.tools.choices
        log = choices.log and (
            shown is None or shown.asked.config.loss_words.logarithmic
        )
        self.map.show_landscape(shown, log=log)
        self.map.show_paths(None if shown is None else self._paths(shown))
        mine = shown is not None and shown.asked is self._asked
        busy = self.asking.busy
        self.map.set_dimmed(dimmed=busy and not mine)
        share = shown.share if shown is not None and mine else 0.0
        self.tools.show_progress(share if busy else None, stopped=self._stopped)
        self.map.plot.set_message(self._message())
        self._say()

    def _message(self) -> str:
        """Return why there is nothing on the map; "" where there is something."""
        if self._problem or self._shown is not None:
            return self._problem
        if self._asked is None:
            moment = self._moment
            return preparing(None if moment is None else moment.history)
        if self._stopped:
            return "Stopped before anything was computed"
        return "Computing the landscape…"

    def _paths(self, shown: "Landscape") -> Paths:
        asked, moment = shown.asked, self._moment
        adapted = asked.surface == "adapted"
        known = None if moment is None else moment.history.held_out_tasks
        return Paths(
            inner=shown.plane.paths,
            names=tuple(known.mark(t) if known else str(t + 1) for t in asked.tasks),
            outer=shown.plane.outer_path if adapted else shown.plane.outer_path[:0],
            trained=asked.config.num_inner_steps,
            step=0 if moment is None else moment.inner_step,
        )

    def _say(self) -> None:
        """Say in words what is seen."""
        words = words_of(self._moment, self._shown)
        self.header.set_title(words.title)
        self.tools.text.setText(words.text)
        place = self._place or QPointF(0.0, 0.0)
        right = ""
        if self._shown is not None:
            right = place_words(self._shown, place, self.map.loss_at(place))
        self.caption.set_texts(words.left, right, right, words.summary)
        self.map.plot.setAccessibleName(words.title)
        self.map.plot.setAccessibleDescription(self._problem or words.summary)

    def _on_place_pointed(self, place: QPointF | None) -> None:
        self._place = place
        self._say()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())


def _same_question(one: "LandscapeRequest", other: "LandscapeRequest") -> bool:
    """Return whether two questions differ in what is drawn, not in what is computed."""
    names = ("surface", "axes", "extent", "tasks")
    return all(getattr(one, name) == getattr(other, name) for name in names)
