"""The strip below the workspaces: outer ruler, inner ruler, and what moves them."""

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.runs.record.bookmarks import mark_at
from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.timeline.bookmark_dialog import BookmarkDialog
from metalab.ui.timeline.model import TimelineModel
from metalab.ui.timeline.player import INNER, OUTER, SPEEDS, Player
from metalab.ui.timeline.ruler import OuterRuler
from metalab.ui.widgets.header import tool_button
from metalab.ui.widgets.step_ruler import StepRuler
from metalab.ui.widgets.task_picker import TaskPicker

_ICON = QSize(16, 16)
_NUM_TASKS = 16


class Timeline(QWidget):
    """Where the window stands in a run, and the way to anywhere else.

    Attributes:
        outer_step_chosen: The outer step to stand at.
        inner_step_chosen: The inner step to emphasise.
        follow_chosen: The newest state shall be followed.
        task_chosen: The held-out task to show, counted from 0.
        bookmark_set: An outer step to mark.
        bookmark_removed: An outer step that is not to be marked any more.
        note_written: An outer step, and what to say of it.
    """

    outer_step_chosen = Signal(int)
    inner_step_chosen = Signal(int)
    follow_chosen = Signal()
    task_chosen = Signal(int)
    bookmark_set = Signal(int)
    bookmark_removed = Signal(int)
    note_written = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: TimelineModel | None = None
        self.outer = OuterRuler(self)
        self.inner = StepRuler(self)
        self.picker = TaskPicker(_NUM_TASKS, self)
        self.player = Player(self)
        self.play = QToolButton(self)
        self.speed = QComboBox(self)
        self.loop = tool_button("", "Loop", parent=self, checkable=True)
        self.mark = tool_button(
            "",
            "Bookmark this outer step, with a note (Ctrl+B)",
            parent=self,
        )
        self.follow = tool_button(
            "Follow live",
            "Show the newest state of the run as it comes",
            parent=self,
            checkable=True,
        )
        self._arrange()
        self._connect()
        self.show_model(None)
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.play.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.play.setAutoRaise(True)
        self.play.setIconSize(_ICON)
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.setAccessibleName("Play")
        self.play.setToolTip("Go through the inner steps, or through training")
        menu = QMenu(self.play)
        for kind, text in (
            (INNER, "Play the &inner steps"),
            (OUTER, "Play the &outer steps"),
        ):
            action = menu.addAction(text)
            action.setData(kind)
        menu.triggered.connect(self._on_menu)
        self.play.setMenu(menu)
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.speed.setAccessibleName("Speed of playing")
        self.speed.setToolTip("Speed of playing")
        for button in (self.loop, self.mark):
            button.setIconSize(_ICON)
            button.setAccessibleName(button.toolTip())
        self.follow.setIconSize(_ICON)
        self.follow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 2)
        row.setSpacing(4)
        for part in (self.play, self.speed, self.loop):
            row.addWidget(part)
        row.addWidget(self.inner, 1)
        for part in (self.picker, self.mark, self.follow):
            row.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.outer)
        layout.addLayout(row)

    def _connect(self) -> None:
        self.outer.step_chosen.connect(self._on_outer)
        self.outer.bookmark_requested.connect(self.ask_bookmark)
        self.inner.valueChanged.connect(self._on_inner)
        self.picker.task_chosen.connect(self.task_chosen)
        self.follow.clicked.connect(self._on_follow)
        self.mark.clicked.connect(self.ask_bookmark)
        self.play.clicked.connect(self._on_play)
        self.speed.currentIndexChanged.connect(self._on_speed)
        self.loop.toggled.connect(self._on_loop)
        self.player.advanced.connect(self._on_advanced)
        self.player.stopped.connect(self._show_playing)

    # What is shown

    def show_model(self, model: TimelineModel | None) -> None:
        """Show a run as it is now; None for none."""
        self._model = model
        self.outer.show_model(model)
        for part in (self.play, self.inner, self.picker, self.mark, self.follow):
            part.setEnabled(model is not None)
        if model is None:
            self.player.stop()

    def set_position(
        self, step: int, *, following: bool, exact: bool, shown: int | None = None
    ) -> None:
        """Show where the playhead stands.

        Args:
            step: The outer step that was asked for.
            following: Whether it is the newest one, whichever that is.
            exact: Whether what is shown is of that step.
            shown: The outer step that is shown until then; None if it is not known.
        """
        self.outer.set_position(step, following=following, exact=exact, shown=shown)
        self.follow.setChecked(following)

    def set_inner(self, step: int, trained: int, last: int) -> None:
        """Show the inner step that is emphasised, K and K'."""
        if self.inner.steps == (trained, last) and self.inner.value() == step:
            return
        with QSignalBlocker(self.inner):
            if self.inner.steps != (trained, last):
                self.inner.set_steps(trained, last)
                self.player.set_last(INNER, last)
            self.inner.setValue(step)
        self.inner.update()

    def set_task(self, task: int, num_tasks: int, names: tuple[str, ...] = ()) -> None:
        """Show the held-out task that is shown.

        Args:
            task: Counted from 0.
            num_tasks: How many there are.
            names: What they are called; () for numbers.
        """
        self.picker.set_num_tasks(num_tasks, names)
        self.picker.set_task(task)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.window)
        self.loop.setIcon(theme_icon("loop", theme))
        self.mark.setIcon(theme_icon("bookmark", theme))
        self.follow.setIcon(theme_icon("follow", theme))
        self._show_playing()

    # What a person does

    def toggle_play(self, kind: str) -> None:
        """Play inner or outer time, or stop."""
        if self.player.kind or self._model is None:
            self.player.stop()
            return
        if kind == INNER:
            self.player.play(INNER, self.inner.value(), (0, self.inner.maximum()))
        else:
            model = self._model
            at = self.outer.value()
            self.player.play(OUTER, at, (model.first_step, model.last_step))
        self._show_playing()

    def ask_bookmark(self) -> None:
        """Mark the outer step where the playhead stands, and ask what to say of it.

        It is marked at once: a run that goes on does not wait for the note.
        """
        if self._model is None:
            return
        step = self.outer.value()
        self.bookmark_set.emit(step)
        known = mark_at(self._model.bookmarks, step)
        if known is None:
            # There is no room for another, which somebody else tells.
            return
        dialog = BookmarkDialog(step, known.note, self)
        dialog.note_written.connect(self.note_written)
        dialog.removed.connect(self.bookmark_removed)
        dialog.open()

    def _on_outer(self, step: int) -> None:
        if self.player.kind == OUTER:
            self.player.stop()
        self.outer_step_chosen.emit(step)

    def _on_inner(self, step: int) -> None:
        if self.player.kind == INNER:
            self.player.stop()
        self.inner_step_chosen.emit(step)

    def _on_follow(self) -> None:
        self.player.stop()
        self.follow.setChecked(True)
        self.follow_chosen.emit()

    def _on_play(self) -> None:
        self.toggle_play(INNER)

    def _on_menu(self, action: object) -> None:
        data = getattr(action, "data", str)()
        self.player.stop()
        self.toggle_play(str(data))

    def _on_speed(self, index: int) -> None:
        self.player.speed = SPEEDS[index]

    def _on_loop(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        self.player.loop = on

    def _on_advanced(self, kind: str, step: int) -> None:
        if kind == INNER:
            self.inner_step_chosen.emit(step)
        else:
            self.outer_step_chosen.emit(step)

    def _show_playing(self) -> None:
        icon = "pause" if self.player.kind else "play"
        self.play.setIcon(theme_icon(icon, current_theme()))
