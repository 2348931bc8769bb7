"""The Live workspace: a run as it happens, in four plots."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedLayout, QWidget

from metalab.figures.base import LARGEST_SHARE, X_AXES, FigureChoices
from metalab.runs.record.history import RunHistory
from metalab.ui.session.frame_clock import FRAME_MS
from metalab.ui.session.moment import Moment
from metalab.ui.widgets.empty import EmptyState
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.live.adaptation import AdaptationView
from metalab.ui.workspaces.live.baselines import BaselinesView
from metalab.ui.workspaces.live.diagnostics import DiagnosticsView
from metalab.ui.workspaces.live.gallery import GalleryView
from metalab.ui.workspaces.live.inner_loss import InnerLossView
from metalab.ui.workspaces.live.loss_tools import LossChoices
from metalab.ui.workspaces.live.outer_loss import OuterLossView

if TYPE_CHECKING:
    from metalab.figures.sights import Sight

_LEAST_LINES = 24.0
"""Height below which the plots scroll: a row of them is as high as twelve lines."""

_ROWS, _TOP, _BOTTOM = (56, 44), (55, 45), (42, 58)
"""Sizes that the splitters begin with, relative to each other."""

_GHOST_SPLIT = (_TOP[0] / sum(_TOP), _ROWS[0] / sum(_ROWS))

_OUTER, _INNER, _GALLERY = "outer loss", "inner loop", "gallery"
_TURNS = (_INNER, _OUTER, _INNER, _GALLERY)
"""What is drawn in which frame of a run: the curves that move 15 times a second, what
changes little by little half as often."""

_MOVED_BY_HAND = (_INNER, _OUTER, _GALLERY)
"""What is drawn at once while a person moves the playhead."""


class LiveWorkspace(Workspace):
    """Outer loss, adaptation, loss against inner step, and gallery of one run.

    One task and one scale of the losses are common to all of them.

    Attributes:
        diagnostics: More about the run; stands in a dock of its own.
        baselines: The run beside simpler methods; likewise.
    """

    shows_example = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: RunHistory | None = None
        self._then: RunHistory | None = None
        self._playhead: int | None = None
        self._stale = False
        self._turn = 0
        self.outer_loss = OuterLossView()
        self.adaptation = AdaptationView()
        self.inner_loss = InnerLossView()
        self.gallery = GalleryView()
        self.diagnostics = DiagnosticsView(self)
        self.baselines = BaselinesView(self)
        for dock in (self.diagnostics, self.baselines):
            dock.hide()
        self.empty = EmptyState(_GHOST_SPLIT)
        self._top = _splitter(
            Qt.Orientation.Horizontal, _TOP, self.outer_loss, self.adaptation
        )
        self._bottom = _splitter(
            Qt.Orientation.Horizontal, _BOTTOM, self.inner_loss, self.gallery
        )
        self._rows = _splitter(Qt.Orientation.Vertical, _ROWS, self._top, self._bottom)
        # A point that is dragged has the screen to itself; the losses follow at 30 Hz.
        self._losses_later = QTimer(self)
        self._losses_later.setSingleShot(True)
        self._losses_later.setInterval(FRAME_MS)
        self._losses_later.timeout.connect(self._show_losses)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._scroll = Scrolling(self._rows, self, least_lines=_LEAST_LINES)
        self._pages.addWidget(self._scroll)
        self._connect()

    def _connect(self) -> None:
        self.empty.run_requested.connect(self.run_requested)
        self.adaptation.task_chosen.connect(self.set_task)
        self.adaptation.task_chosen.connect(self.task_chosen)
        self.gallery.task_chosen.connect(self.task_chosen)
        self.adaptation.inner_step_chosen.connect(self.inner_step_chosen)
        self.adaptation.shown_changed.connect(self._on_shown_changed)
        self.adaptation.told.connect(self.told)
        self.adaptation.untold.connect(self.untold)
        self.gallery.task_chosen.connect(self.set_task)
        self.adaptation.inner_step_chosen.connect(self.inner_loss.set_inner_step)
        self.outer_loss.choices_changed.connect(self._on_loss_choices_changed)
        self.inner_loss.log_chosen.connect(self._on_log_chosen)
        self.gallery.sort_changed.connect(self.choices_changed)

    # What is shown

    def show_moment(self, moment: Moment | None) -> None:
        """Show a moment of a run; None for no run.

        While a run goes on the plots take turns, so that no frame keeps the interpreter
        from the run for as long as all of them would.
        """
        self.baselines.show_moment(moment)
        if moment is None:
            self.show_history(None)
            return
        self.set_task(moment.task)
        self.adaptation.set_inner_step(moment.inner_step)
        known = moment.history.is_same_run(self._history)
        self._take(moment.history, moment.shown, moment.step if moment.past else None)
        if not (known and not self._stale and moment.running and self.isVisible()):
            self._refresh_if_visible()
            return
        self._turn = (self._turn + 1) % len(_TURNS)
        at_once = () if moment.following else _MOVED_BY_HAND
        for plots in {_TURNS[self._turn], *at_once}:
            self._show_plots(plots)

    def show_history(self, history: RunHistory | None) -> None:
        """Show a run as it is now; None for no run. Does nothing while hidden."""
        self._take(history, history, None)
        self._refresh_if_visible()

    def _take(
        self, history: RunHistory | None, then: RunHistory | None, playhead: int | None
    ) -> None:
        """Take in a run, the same as it was at the playhead, and where that stands.

        Plots over outer steps show all of the run and the playhead in it; the others
        show the moment.
        """
        self._history, self._then, self._playhead = history, then, playhead
        self.diagnostics.show_history(history, playhead=playhead)

    def _refresh_if_visible(self) -> None:
        self._stale = True
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        self._stale = False
        page = self.empty if self._history is None else self._scroll
        if self._pages.currentWidget() is not page:
            self._pages.setCurrentWidget(page)
        for plots in dict.fromkeys(_TURNS):
            self._show_plots(plots)

    def _show_plots(self, plots: str) -> None:
        if plots == _OUTER:
            self.outer_loss.show_history(self._history, playhead=self._playhead)
        elif plots == _GALLERY:
            self.gallery.show_history(self._then)
        else:
            self.adaptation.show_history(self._then)
            self._show_losses()

    def _on_shown_changed(self) -> None:
        if not self._losses_later.isActive():
            self._losses_later.start()

    def _show_losses(self) -> None:
        """Show the losses of the task as it is adapted to: maybe to moved points."""
        moved = self.adaptation.moved is not None
        self.inner_loss.show_history(self.adaptation.shown, moved=moved)

    def _views(
        self,
    ) -> tuple[OuterLossView, AdaptationView, InnerLossView, GalleryView]:
        return self.outer_loss, self.adaptation, self.inner_loss, self.gallery

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the workspace was hidden."""
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def set_preset(self, title: str, detail: str = "") -> None:
        """Say what the button of the empty page would run."""
        self.empty.set_preset(title, detail)

    def set_why_not(self, reason: str) -> None:
        """Let the button of the empty page be pressed, or not yet."""
        self.empty.set_why_not(reason)

    # What a person chooses

    @property
    def task(self) -> int:
        """The held-out task that is shown, counted from 0."""
        return self.adaptation.task

    def set_task(self, task: int) -> None:
        """Show one held-out task in every plot."""
        for view in (self.adaptation, self.inner_loss, self.gallery):
            view.set_task(task)
        self._show_losses()

    def views_choices(self) -> FigureChoices:
        """Return what is chosen, as figures take it."""
        choices = self.outer_loss.choices
        return FigureChoices(
            task=self.task,
            log_y=choices.log_y,
            smoothing=choices.smoothing,
            x=choices.x,
            sort=self.gallery.sort_by,
            moved=self.adaptation.moved_tasks,
        )

    @property
    def figure(self) -> str:
        """Name of the figure of the plot that has the focus; "" if none has."""
        named = {
            "losses": self.outer_loss,
            "adaptation": self.adaptation,
            "inner-loss": self.inner_loss,
            "gallery": self.gallery,
            "diagnostics": self.diagnostics,
        }
        for name, view in named.items():
            if view.isAncestorOf(self.focusWidget() or self):
                return name
        return ""

    @property
    def awaits_curves(self) -> bool:
        """Whether a moved point is about to be painted with its curves."""
        return self.adaptation.awaits_curves

    def sights(self) -> "Mapping[str, Sight]":
        """Return the run with the points that a person has moved."""
        shown = self.adaptation.shown
        return {} if shown is None else {"adaptation": shown}

    def picture(self) -> QImage:
        """Return the plot that has the focus, else the outer loss, as a picture."""
        for view in (*self._views(), self.diagnostics):
            if any(part.hasFocus() for part in view.findChildren(QWidget)):
                return view.picture()
        return self.outer_loss.picture()

    def _on_loss_choices_changed(self) -> None:
        self.inner_loss.set_log(log=self.outer_loss.choices.log_y)
        self.choices_changed.emit()

    def _on_log_chosen(self, log: bool) -> None:  # noqa: FBT001 - a slot
        self.outer_loss.set_choices(replace(self.outer_loss.choices, log_y=log))
        self.choices_changed.emit()

    def shut_down(self) -> None:
        """Have the thread that compares end; returns at once."""
        self.baselines.shut_down()

    def join(self) -> None:
        """Wait for it, after `shut_down`."""
        self.baselines.join()

    # What is remembered

    def save_state(self) -> dict[str, Any]:
        """Return sizes and choices as plain values, for `restore_state`."""
        choices = self.outer_loss.choices
        return {
            "rows": self._rows.sizes(),
            "top": self._top.sizes(),
            "bottom": self._bottom.sizes(),
            "log_y": choices.log_y,
            "trimmed": choices.trimmed,
            "smoothing_share": choices.smoothing,
            "x": choices.x,
            "sort": self.gallery.sort_by,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take sizes and choices; what is missing or not understood stays as it is."""
        for name, splitter in (
            ("rows", self._rows),
            ("top", self._top),
            ("bottom", self._bottom),
        ):
            sizes = state.get(name)
            if _are_sizes(sizes):
                splitter.setSizes(sizes)
        self.outer_loss.set_choices(_restored(self.outer_loss.choices, state))
        self.inner_loss.set_log(log=self.outer_loss.choices.log_y)
        sort = state.get("sort")
        if isinstance(sort, str):
            self.gallery.set_sort(sort)


def _splitter(
    orientation: Qt.Orientation, sizes: tuple[int, int], *parts: QWidget
) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(6)
    for part, size in zip(parts, sizes, strict=True):
        splitter.addWidget(part)
        splitter.setStretchFactor(splitter.count() - 1, size)
    splitter.setSizes([10 * size for size in sizes])
    return splitter


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(size) is int and 0 < size < 2**24 for size in value)
    )


def _restored(choices: LossChoices, state: Mapping[str, Any]) -> LossChoices:
    """Return choices with whatever is understood of a saved state."""
    # Until 0.5 "smoothing" was a weight of the past, which means nothing to a share.
    smoothing, x = state.get("smoothing_share"), state.get("x")
    flags = {
        name: value
        for name in ("log_y", "trimmed")
        if isinstance(value := state.get(name), bool)
    }
    if isinstance(smoothing, float | int) and 0 <= smoothing <= LARGEST_SHARE:
        choices = replace(choices, smoothing=float(smoothing))
    if x in X_AXES:
        choices = replace(choices, x=x)
    return replace(choices, **flags)
