"""The Runs workspace: the runs of a folder, found, labelled, compared and thrown away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QMenu,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from metalab.core.errors import UserError
from metalab.runs.library.entry import RunEntry
from metalab.runs.library.filter import FilterError, parse_filter
from metalab.runs.library.labels import LabelChange, LabelError, checked_name
from metalab.runs.library.library import Look
from metalab.runs.library.marking import Marked
from metalab.runs.library.order import SORT_FIELDS
from metalab.runs.library.thumbnail import thumbnail_arrays
from metalab.runs.library.trash import Trashed
from metalab.runs.system.home import runs_folder
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.runs.columns import Row
from metalab.ui.workspaces.runs.dialogs import NoteDialog, TagDialog
from metalab.ui.workspaces.runs.model import RunTableModel
from metalab.ui.workspaces.runs.table import RunTable
from metalab.ui.workspaces.runs.tools import (
    WORK,
    RunTools,
    colour_choices,
    colour_icon,
)
from metalab.ui.workspaces.runs.worker import LibraryWorker

if TYPE_CHECKING:
    from metalab.ui.session.basket import Basket
    from metalab.ui.session.moment import Moment

_LOOK_MS = 2000
"""Milliseconds between two looks at the folder while the page is seen."""

_MOST_FOLDERS = 8
_MOST_PROBLEMS = 3


class RunsWorkspace(Workspace):
    """The library of runs as a table. Files are read and written beside the window."""

    shows_example = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._basket: Basket | None = None
        self._entries: Sequence[RunEntry] | None = None
        self._folders: tuple[Path, ...] = ()
        self._problem = ""
        self.model = RunTableModel(self)
        self.table = RunTable(self.model, self)
        self.tools = RunTools(self)
        self.worker = LibraryWorker(runs_folder(), self)
        self.empty = _Empty(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._place()
        self._connect()
        self.tools.show_folder(self.folder, self._folders)
        self._show_counts()

    def _place(self) -> None:
        self.setAutoFillBackground(True)
        centre = QWidget(self)
        self._stack = QStackedLayout(centre)
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tools)
        layout.addWidget(centre, 1)

    def _connect(self) -> None:
        tools, table, worker = self.tools, self.table, self.worker
        tools.filter_changed.connect(self._on_filter_changed)
        tools.grouped_changed.connect(self._on_grouped_changed)
        tools.folder_wanted.connect(self._ask_folder)
        tools.folder_chosen.connect(self.set_folder)
        tools.requested.connect(self._on_requested)
        table.opened.connect(self._on_opened)
        table.chosen_changed.connect(self._show_counts)
        table.trash_requested.connect(self._trash)
        table.menu_requested.connect(self._open_menu)
        table.scrolled.connect(self._ask_pictures)
        self.model.renamed.connect(self._on_renamed)
        self.model.ticked.connect(self._on_ticked)
        worker.looked.connect(self._on_looked)
        worker.progressed.connect(self._on_progressed)
        worker.marked.connect(self._on_marked)
        worker.trashed.connect(self._on_trashed)
        worker.restored.connect(self._on_restored)
        worker.pictured.connect(self._on_pictured)
        worker.failed.connect(self._on_failed)
        self.empty.button.clicked.connect(self._on_empty_clicked)
        self._timer.timeout.connect(worker.look)

    # What is shown

    @property
    def folder(self) -> Path:
        """The library."""
        return self.worker.library.folder

    def set_folder(self, folder: Path) -> None:
        """List the runs of a folder."""
        if folder.absolute() == self.folder:
            self.tools.show_folder(self.folder, self._folders)
            return
        self._entries = None
        self._problem = ""
        self.model.forget_pictures()
        self.model.show_entries(())
        self.worker.set_folder(folder)
        if folder != runs_folder():
            kept = (folder, *(path for path in self._folders if path != folder))
            self._folders = kept[:_MOST_FOLDERS]
        self.tools.show_folder(self.folder, self._folders)
        self._apply_filter()
        self._show_state()
        self.choices_changed.emit()

    def set_basket(self, basket: "Basket") -> None:
        """Take in the window's basket: its runs are ticked."""
        self._basket = basket
        basket.changed.connect(self._on_basket_changed)
        self._on_basket_changed()

    def show_moment(self, moment: "Moment | None") -> None:
        """Point out the run that the window shows."""
        path = None if moment is None else moment.history.path
        self.model.set_open(None if path is None else path.absolute())

    def picture(self) -> QImage:
        """Return the table as a picture."""
        return picture_of([self._stack.currentWidget()], title="Runs")

    def save_state(self) -> dict[str, Any]:
        """Return folder, filter and order."""
        view = self.model.view
        own = self.folder == runs_folder()
        return {
            "folder": "" if own else str(self.folder),
            "folders": [str(path) for path in self._folders],
            "filter": self.tools.filter.text(),
            "sort": view.sort,
            "descending": view.descending,
            "grouped": view.grouped,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take folder, filter and order; what is not understood stays as it is."""
        folders = state.get("folders")
        if isinstance(folders, list):
            known = [Path(f) for f in folders if isinstance(f, str) and "\0" not in f]
            self._folders = tuple(known[:_MOST_FOLDERS])
        folder = state.get("folder")
        if isinstance(folder, str) and folder and "\0" not in folder:
            self.set_folder(Path(folder))
        view = self.model.view
        sort, grouped = state.get("sort"), state.get("grouped")
        if isinstance(sort, str) and (sort in SORT_FIELDS or "." in sort):
            view = replace(view, sort=sort, descending=state.get("descending") is True)
        self.model.show_view(replace(view, grouped=grouped is True))
        self.tools.group.setChecked(grouped is True)
        if isinstance(text := state.get("filter"), str):
            self.tools.filter.setText(text)
        self.tools.show_folder(self.folder, self._folders)
        self.table.show_order()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the folder at once, and then now and then."""
        super().showEvent(event)
        self.worker.look()
        self._timer.start()
        self._show_state()

    def hideEvent(self, event: QHideEvent) -> None:
        """Look no more."""
        super().hideEvent(event)
        self._timer.stop()
        self.worker.picture(())

    def shut_down(self) -> None:
        """End timer and thread; returns at once."""
        self._timer.stop()
        self.worker.close()

    def join(self) -> None:
        """Wait for the thread."""
        self.worker.join()

    def _on_looked(self, look: Look) -> None:
        first = self._entries is None
        self._entries, self._problem = look.entries, ""
        self.model.show_entries(look.entries)
        if first:
            # Settings that these runs have are known only now.
            self._apply_filter()
        self._show_state()
        self._ask_pictures()

    def _on_progressed(self, done: int, total: int) -> None:
        if self._entries is None and total:
            text = f"Reading runs: {done:,} of {total:,}"
            self.tools.status.set_full_text(text)
            self.empty.show_text(
                text, "They are remembered; the next time is quick.", ""
            )

    def _on_failed(self, error: UserError) -> None:
        self._problem = str(error)
        self._entries = ()
        self.model.show_entries(())
        self._show_state()

    def _show_state(self) -> None:
        """Show the table, or why there is nothing in it."""
        entries = self._entries
        if self.model.rows:
            self._stack.setCurrentWidget(self.table)
        else:
            self._stack.setCurrentWidget(self.empty)
            self.empty.show_text(*self._empty_words(entries))
        self._show_counts()

    def _empty_words(self, entries: Sequence[RunEntry] | None) -> tuple[str, str, str]:
        if self._problem:
            return "This folder cannot be read", self._problem, "Choose a folder"
        if entries is None:
            return "Reading runs…", str(self.folder), ""
        if entries and self.tools.filter.text():
            return (
                "No run fits the filter",
                f"{len(entries):,} runs are left out.",
                "Clear the filter",
            )
        if entries:
            return (
                "All runs are archived",
                "The filter archived:yes shows them.",
                "Show archived runs",
            )
        return (
            "No runs here yet",
            f"Runs that are trained appear by themselves. This is {self.folder}.",
            "Choose a folder",
        )

    def _on_empty_clicked(self) -> None:
        if not self._entries:
            self._ask_folder()
        elif self.tools.filter.text():
            self.tools.filter.clear()
        else:
            self.tools.filter.setText("archived:yes")

    def _show_counts(self) -> None:
        """Say how many runs there are, and let the buttons fit those that are chosen."""
        chosen = self.table.chosen
        compared = self._compared
        self.tools.show_chosen(
            count=len(chosen),
            compared=bool(chosen) and all(e.path in compared for e in chosen),
            archived=bool(chosen) and all(e.labels.archived for e in chosen),
        )
        if self._entries is None:
            return
        shown, whole = self.model.num_shown, len(self._entries)
        parts = [
            f"{shown:,} of {whole:,} runs" if shown != whole else f"{whole:,} runs"
        ]
        if len(chosen) > 1:
            parts.append(f"{len(chosen):,} chosen")
        if compared:
            parts.append(f"{len(compared):,} to compare")
        self.tools.status.set_full_text("  ·  ".join(parts))

    @property
    def _compared(self) -> tuple[Path, ...]:
        return () if self._basket is None else self._basket.paths

    def _ask_pictures(self) -> None:
        """Have thumbnails made of the runs in view."""
        if self.isVisible():
            seen = self.table.seen_paths
            self.worker.picture([p for p in seen if not self.model.has_picture(p)])

    def _on_pictured(self, path: Path, data: bytes) -> None:
        self.model.set_picture(path, thumbnail_arrays(data))

    # Filter and groups

    def _on_filter_changed(self) -> None:
        self._apply_filter()
        self._show_state()
        self.choices_changed.emit()

    def _apply_filter(self) -> None:
        """Show what the filter says, without a word of it that says nothing yet."""
        text = self.tools.filter.text()
        known = {path for e in self._entries or () for path in e.config}
        told = ""
        while True:
            try:
                keeps = parse_filter(text, known)
                break
            except FilterError as error:
                told = told or str(error)
                text = text.replace(error.token, "", 1)
        self.tools.show_error(told)
        self.model.show_view(replace(self.model.view, keeps=keeps))

    def _on_grouped_changed(self, grouped: bool) -> None:  # noqa: FBT001 - Qt's signal
        self.model.show_view(replace(self.model.view, grouped=grouped))
        self._show_state()
        self.choices_changed.emit()

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "Folder with runs", str(self.folder))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._on_folder_selected)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_folder_selected(self, name: str) -> None:
        self.set_folder(Path(name))

    # What is done with runs

    def _on_requested(self, key: str) -> None:
        work: Mapping[str, Callable[[], None]] = {
            "open": self._open,
            "compare": self._compare,
            "tags": self._ask_tags,
            "note": self._ask_note,
            "archive": self._archive,
            "trash": self._trash,
        }
        work[key]()

    def _open(self) -> None:
        chosen = self.table.chosen
        if len(chosen) == 1:
            self.run_wanted.emit(chosen[0].path)

    def _on_opened(self, row: Row) -> None:
        self.run_wanted.emit(row.entry.path)

    def _compare(self) -> None:
        paths = [entry.path for entry in self.table.chosen]
        inside = all(path in self._compared for path in paths)
        self._on_ticked(paths, not inside)

    def _on_ticked(self, paths: Sequence[Path], on: bool) -> None:  # noqa: FBT001 - Qt's signal
        if self._basket is None:
            return
        if on:
            self._basket.add(paths)
        else:
            self._basket.remove(paths)

    def _on_basket_changed(self) -> None:
        self.model.set_basket(self._compared)
        self._show_counts()

    def _ask_tags(self) -> None:
        entries = self.table.chosen
        known = {tag for e in self._entries or () for tag in e.labels.tags}
        dialog = TagDialog(entries, sorted(known), self)
        dialog.chosen.connect(partial(self._mark, [e.path for e in entries]))
        dialog.open()

    def _ask_note(self) -> None:
        entries = self.table.chosen
        dialog = NoteDialog(entries, self)
        dialog.chosen.connect(partial(self._mark, [e.path for e in entries]))
        dialog.open()

    def _archive(self) -> None:
        chosen = self.table.chosen
        back = all(entry.labels.archived for entry in chosen)
        self._mark([e.path for e in chosen], LabelChange(archived=not back))

    def _on_renamed(self, path: Path, text: str) -> None:
        try:
            name = checked_name(text)
        except LabelError as error:
            self.told.emit(str(error), "", _nothing)
            return
        self._mark([path], LabelChange(name=name))

    def _set_colour(self, paths: Sequence[Path], colour: str) -> None:
        self._mark(paths, LabelChange(colour=colour))

    def _mark(self, paths: Sequence[Path], change: LabelChange) -> None:
        self.worker.mark(paths, change)

    def _on_marked(self, done: Sequence[Marked]) -> None:
        """Tell what was changed, with the way back."""
        problems = [one.problem for one in done if one.problem]
        good = [one for one in done if not one.problem]
        self._tell_problems(problems)
        if not good:
            return
        waiting = [one for one in good if one.waits]
        what = f"Changed {_runs(len(good))}"
        if waiting:
            what += f"; {_runs(len(waiting))} once training has ended"
        undo = [(one.path, one.undo) for one in good if one.undo != LabelChange()]
        if undo:
            self.told.emit(what, "Undo", partial(self._undo_marks, undo))
        elif waiting:
            self.told.emit(what, "", _nothing)

    def _undo_marks(self, changes: Sequence[tuple[Path, LabelChange]]) -> None:
        self.worker.mark_each(changes)

    def _trash(self) -> None:
        paths = [entry.path for entry in self.table.chosen]
        if paths:
            self.worker.trash(paths)

    def _on_trashed(self, moved: Sequence[Trashed], problems: Sequence[str]) -> None:
        self._tell_problems(problems)
        if not moved:
            return
        if self._basket is not None:
            self._basket.remove([one.path for one in moved])
        text = f"Moved {_runs(len(moved))} to the trash"
        if all(one.place is not None for one in moved):
            self.told.emit(text, "Undo", partial(self.worker.put_back, moved))
        else:
            self.told.emit(f"{text}, where they can be put back", "", _nothing)

    def _on_restored(self, problems: Sequence[str]) -> None:
        self._tell_problems(problems)

    def _tell_problems(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_MOST_PROBLEMS])
        if len(problems) > _MOST_PROBLEMS:
            shown.append(f"and {len(problems) - _MOST_PROBLEMS:,} more")
        if shown:
            self.told.emit("\n".join(shown), "", _nothing)

    def _open_menu(self, place: QPoint) -> None:
        """Offer what can be done with the chosen runs."""
        chosen = self.table.chosen
        paths = [entry.path for entry in chosen]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for key, _, _ in WORK:
            button = self.tools.buttons[key]
            action = menu.addAction(button.text())
            action.setEnabled(button.isEnabled())
            action.triggered.connect(partial(self._on_requested, key))
            if key == "compare":
                menu.addSeparator()
                rename = menu.addAction("Rename")
                rename.setEnabled(len(chosen) == 1)
                rename.triggered.connect(self.table.edit_name)
        colours = QMenu("Colour", menu)
        menu.insertMenu(menu.actions()[-2], colours)
        for name in colour_choices():
            action = colours.addAction(colour_icon(name), name.capitalize())
            action.triggered.connect(partial(self._set_colour, paths, name))
        colours.addSeparator()
        own = colours.addAction("Of its experiment")
        own.triggered.connect(partial(self._set_colour, paths, ""))
        menu.popup(place)


class _Empty(QWidget):
    """Words in the place of an empty table, and one button.

    Attributes:
        button: Does what its text says.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.title, self.detail = QLabel(self), QLabel(self)
        font = self.title.font()
        font.setBold(True)
        font.setPointSizeF(1.25 * font.pointSizeF())
        self.title.setFont(font)
        self.button = QPushButton(self)
        # It has no text while there is nothing to be done.
        self.button.setAccessibleName("Nothing to be done")
        self.button.hide()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(2)
        for part in (self.title, self.detail):
            part.setTextFormat(Qt.TextFormat.PlainText)
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            part.setWordWrap(True)
            layout.addWidget(part)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        follow_theme(self._take_theme)

    def _take_theme(self, theme: Theme) -> None:
        tint(self.detail, theme.muted)

    def show_text(self, title: str, detail: str, button: str) -> None:
        """Show words; "" for no button."""
        self.title.setText(title)
        self.detail.setText(detail)
        self.button.setText(button)
        self.button.setAccessibleName(button or "Nothing to be done")
        self.button.setVisible(bool(button))


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _nothing() -> None:
    """Do nothing: a toast without a button."""
