"""Controller between the timeline and the playhead."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.runs.record.bookmarks import (
    MOST_BOOKMARKS,
    Bookmark,
    Bookmarks,
    mark_at,
    with_mark,
    with_note,
    without_mark,
)
from metalab.ui.session.playhead import Playhead
from metalab.ui.timeline.model import timeline_model
from metalab.ui.timeline.timeline import Timeline

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.moment import Moment

MODEL_SECONDS = 0.5
"""Least time between two drawings of the mini-map of a run that goes on."""

FOLLOW_SECONDS = 0.1
"""Least time between two places of a playhead that follows such a run."""


class TimelineController(QObject):
    """Shows on the timeline where the playhead stands, and moves it as people say.

    Attributes:
        bookmarks_changed: A person has marked or noted something: all bookmarks of the
            run that is shown.
        refused: Why an outer step cannot be marked.
    """

    bookmarks_changed = Signal(object)
    refused = Signal(str)

    def __init__(
        self, timeline: Timeline, playhead: Playhead, *, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._timeline = timeline
        self._playhead = playhead
        self._shown: RunHistory | None = None
        self._drawn_at = 0.0
        self._placed_at = 0.0
        self._followed = False
        self._lesson: list[Bookmark] = []
        timeline.outer_step_chosen.connect(playhead.go_to)
        timeline.inner_step_chosen.connect(playhead.set_inner_step)
        timeline.follow_chosen.connect(playhead.follow)
        timeline.task_chosen.connect(playhead.set_task)
        timeline.bookmark_set.connect(self._on_bookmark)
        timeline.bookmark_removed.connect(self._on_removed)
        timeline.note_written.connect(self._on_note)

    def bookmarks(self) -> tuple[Bookmark, ...]:
        """Return the bookmarks that are shown."""
        return (*self._kept(), *self._lesson)

    def _kept(self) -> Bookmarks:
        """Return those of the run, without a lesson's."""
        return () if self._shown is None else self._shown.bookmarks or ()

    def set_lesson(self, marks: list[tuple[int, str]]) -> None:
        """Show the bookmarks of a lesson beside those of the run: steps and notes."""
        self._lesson = [Bookmark(step=step, note=note) for step, note in marks]
        if self._shown is not None:
            self._show_model(self._shown)

    def show_moment(self, moment: "Moment | None") -> None:
        """Show where the playhead stands."""
        if moment is None:
            if self._shown is not None:
                self._shown = None
                self._timeline.show_model(None)
            return
        history = moment.history
        if self._is_due(history):
            self._show_model(history)
            self._placed_at = 0.0
        self._place(moment)
        trained = moment.config.num_inner_steps
        last = max(self._playhead.last_inner_step, trained)
        self._timeline.set_inner(moment.inner_step, trained, last)
        if history.held_out_tasks is not None:
            tasks = history.held_out_tasks
            self._timeline.set_task(moment.task, tasks.num_gallery, tasks.names)

    def _place(self, moment: "Moment") -> None:
        """Put the playhead where it stands, following a run ten times a second."""
        now = time.perf_counter()
        follows = moment.following and moment.running
        if follows and self._followed and now - self._placed_at < FOLLOW_SECONDS:
            return
        self._followed = follows
        self._placed_at = now
        self._timeline.set_position(
            moment.history.step if moment.following else moment.wanted_step,
            following=moment.following,
            exact=moment.exact,
            shown=moment.step,
        )

    def _is_due(self, history: "RunHistory") -> bool:
        """Return whether the mini-map has to be drawn again now."""
        if history is self._shown:
            return False
        shown = self._shown
        if shown is None or not history.is_same_run(shown):
            return True
        if history.status.ended or history.configs is not shown.configs:
            return True
        if history.bookmarks is not shown.bookmarks:
            return True
        return time.perf_counter() - self._drawn_at >= MODEL_SECONDS

    def _show_model(self, history: "RunHistory") -> None:
        self._shown = history
        self._drawn_at = time.perf_counter()
        self._timeline.show_model(timeline_model(history, self.bookmarks()))

    def _on_bookmark(self, step: int) -> None:
        kept = self._kept()
        if len(kept) >= MOST_BOOKMARKS and mark_at(kept, step) is None:
            text = "A run holds at most {} of them: remove one first."
            self.refused.emit(text.format(MOST_BOOKMARKS))
            return
        self._change(with_mark(kept, step, self._playhead.inner_step))

    def _on_removed(self, step: int) -> None:
        self._change(without_mark(self._kept(), step))

    def _on_note(self, step: int, note: str) -> None:
        self._change(with_note(self._kept(), step, note))

    def _change(self, marks: Bookmarks) -> None:
        if self._shown is None or marks == self._kept():
            return
        # Seen at once, not only with the next frame.
        self._show_model(replace(self._shown, bookmarks=marks))
        self.bookmarks_changed.emit(marks)
