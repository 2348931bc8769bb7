"""Start page, tour and lessons: what shows the way through the window."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QWidget

from metalab.core.errors import UserError
from metalab.ui.actions.enablement import why_not_open
from metalab.ui.session import engine_access as engine
from metalab.ui.shell.dock_title import DockTitle
from metalab.ui.shell.present import LESSON
from metalab.ui.workspaces.base import Workspace

if TYPE_CHECKING:
    from metalab.ui.learn.content import WorkspaceName
    from metalab.ui.learn.lesson import Lesson, LessonPage
    from metalab.ui.learn.lesson_panel import LessonPanel
    from metalab.ui.learn.tour import Tour
    from metalab.ui.session.session import Session
    from metalab.ui.shell.main_window import MainWindow
    from metalab.ui.shell.run_presenter import RunPresenter
    from metalab.ui.workspaces.start.workspace import StartWorkspace

_LESSON_WIDTH = 330


class LessonsController(QObject):
    """Begins cards, tours and lessons, and turns a lesson's pages.

    Attributes:
        open_requested: A person would choose a run file.
        data_requested: A person would choose a table.
        lesson_saved: A lesson was written to this file.
        run_chosen: A person chose a run file on the Start page.
        recovery_chosen: Key of what becomes of a run that a crash has left.
        lesson: The dock of the lesson; hidden unless there is one.
    """

    open_requested = Signal()
    data_requested = Signal()
    lesson_saved = Signal(object)
    run_chosen = Signal(object)
    recovery_chosen = Signal(str)

    def __init__(
        self,
        session: "Session",
        window: "MainWindow",
        stage: "RunPresenter",
        *,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._window = window
        self._playhead = stage.playhead
        self._timekeeper = stage.timekeeper
        self._tour: Tour | None = None
        self._hidden: tuple[str, ...] = ()
        self._panel: LessonPanel | None = None
        self._start: StartWorkspace | None = None
        self.lesson = QDockWidget("Lesson", window)
        self.lesson.setObjectName(LESSON)
        self.lesson.setTitleBarWidget(DockTitle(self.lesson))
        window.add_side_dock(self.lesson, _LESSON_WIDTH)
        window.workspaces.page_made.connect(self._connect_page)
        session.state_changed.connect(self._show_choices)

    def _connect_page(self, page: Workspace) -> None:
        from metalab.ui.workspaces.start.workspace import StartWorkspace  # noqa: PLC0415 - slow

        if isinstance(page, StartWorkspace):
            page.card_chosen.connect(self.start_card)
            page.open_requested.connect(self.open_requested)
            page.data_requested.connect(self.data_requested)
            page.tour_requested.connect(self.start_tour)
            page.run_chosen.connect(self.run_chosen)
            page.recovery_chosen.connect(self.recovery_chosen)
            self._start = page
            self._show_choices()

    def _show_choices(self) -> None:
        """Keep the Start page in step with the session."""
        session = self._session
        if self._start is not None:
            self._start.set_choices(
                session.recent, session.recovered, why_not=why_not_open(session)
            )

    @property
    def panel(self) -> "LessonPanel":
        """The pages of the lesson; made when there is one for the first time."""
        if self._panel is None:
            from metalab.ui.learn.lesson_panel import LessonPanel  # noqa: PLC0415 - slow

            self._panel = LessonPanel()
            self._panel.page_shown.connect(self._on_page_shown)
            self._panel.closed.connect(self.leave_lesson)
            self.lesson.setWidget(self._panel)
        return self._panel

    # Cards

    def start_card(self, key: str) -> None:
        """Load a card's experiment and start it."""
        from metalab.ui.learn.cards import all_cards  # noqa: PLC0415 - slow
        from metalab.ui.learn.experiments import config_of  # noqa: PLC0415 - slow

        card = all_cards()[key]
        show = partial(self._window.workspaces.show_page, card.workspace)
        doing = f"begin “{card.title}”"
        self._session.begin(config_of(card), doing, show)

    # The tour

    def start_tour(self) -> None:
        """Begin the tour, or go on with it."""
        from metalab.ui.learn.tour import Tour, tour_stops  # noqa: PLC0415 - slow

        if self._tour is None:
            self._tour = Tour(tour_stops(self._targets()))
            self._window.add_strip(self._tour)
            self._window.escaped.connect(self._tour.leave)
        self._tour.begin()

    def _targets(self) -> "dict[str, partial[QWidget | None]]":
        window = self._window
        pages = window.workspaces

        def on_page(key: str) -> QWidget | None:
            pages.show_page(key)
            return pages.current

        def plain(widget: QWidget) -> QWidget | None:
            return widget

        return {
            "run": partial(plain, window.toolbar),
            "experiment": partial(plain, window.experiment),
            "adapt": partial(on_page, "adapt"),
            "timeline": partial(plain, window.timeline),
            "workspaces": partial(plain, pages.tabBar()),
        }

    # Lessons

    def start_lesson(self, lesson: "Lesson") -> None:
        """Load a lesson's experiment, start it, and show its first page."""
        from metalab.ui.learn.experiments import config_of  # noqa: PLC0415 - slow

        try:
            config = config_of(lesson)
        except UserError as error:
            self._session.tell("The lesson cannot be used", error)
            return
        doing = f"begin the lesson “{lesson.title}”"
        self._session.begin(config, doing, partial(self._show_lesson, lesson))

    def _show_lesson(self, lesson: "Lesson") -> None:
        self._hide_groups(lesson.hidden_groups)
        self._timekeeper.set_lesson(
            [(mark.step, mark.note) for mark in lesson.bookmarks]
        )
        self._window.show_side_dock(self.lesson)
        if not self._window.tabifiedDockWidgets(self.lesson):
            self._window.resizeDocks(
                [self.lesson], [_LESSON_WIDTH], Qt.Orientation.Horizontal
            )
        self.panel.show_lesson(lesson)

    def start_own_lesson(self, number: int) -> None:
        """Begin one of the lessons that come with metalab, counted from 0."""
        from metalab.ui.learn.lesson import own_lessons  # noqa: PLC0415 - slow

        self.start_lesson(list(own_lessons().values())[number])

    def open_lesson(self, path: Path) -> None:
        """Begin a lesson from its file."""
        from metalab.ui.learn.lesson import load_lesson  # noqa: PLC0415 - slow

        try:
            lesson = load_lesson(path)
        except UserError as error:
            self._session.tell("The lesson cannot be used", error)
        else:
            self.start_lesson(lesson)

    def save(self, path: Path) -> None:
        """Write what is shown as a lesson of one page, to be edited by hand."""
        from metalab.ui.learn.experiments import overrides_of  # noqa: PLC0415 - slow
        from metalab.ui.learn.lesson import (  # noqa: PLC0415 - slow
            Bookmark,
            Lesson,
            LessonPage,
            save_lesson,
        )

        config = self._session.config
        assert config is not None, "the action is off without an experiment"
        reference = self._session.reference
        assert reference is not None, "an experiment comes from some preset"
        marks = self._timekeeper.bookmarks()
        moment = self._playhead.moment
        lesson = Lesson(
            title=engine.name(config),
            preset=reference.name,
            overrides=overrides_of(config, reference.name),
            pages=(
                LessonPage(
                    text="Write here what there is to see.",
                    workspace=_page_of(self._window.workspaces.current_key),
                    outer_step=None if moment is None else moment.step,
                    inner_step=None if moment is None else moment.inner_step,
                ),
            ),
            bookmarks=tuple(
                Bookmark(step=mark.step, note=mark.note or "bookmark") for mark in marks
            ),
        )
        try:
            save_lesson(path, lesson)
        except OSError as error:
            self._session.tell("The lesson cannot be written", error)
        else:
            self.lesson_saved.emit(path)

    def leave_lesson(self) -> None:
        """Close the lesson; its run goes on."""
        self.lesson.hide()
        self._timekeeper.set_lesson([])
        self._hide_groups(())

    def _hide_groups(self, names: tuple[str, ...]) -> None:
        form = self._window.experiment.form
        if form is None:
            return
        for name in {*self._hidden, *names}:
            form.show_group(name, shown=name not in names)
        self._hidden = names

    def _on_page_shown(self, page: "LessonPage") -> None:
        self._window.workspaces.show_page(page.workspace)
        if page.outer_step is not None:
            self._playhead.await_step(page.outer_step)
        if page.inner_step is not None:
            self._playhead.set_inner_step(page.inner_step)


def _page_of(key: str) -> "WorkspaceName":
    """Return the page that a lesson opens; the Start page is none of a lesson."""
    from metalab.ui.learn.content import WorkspaceName  # noqa: PLC0415 - slow

    known: dict[str, WorkspaceName] = {name: name for name in get_args(WorkspaceName)}
    return known.get(key, "live")
