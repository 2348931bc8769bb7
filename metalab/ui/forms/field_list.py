"""The scrolling part of the form: every setting, in foldable groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from metalab.experiment.changes import group_title
from metalab.ui.forms.field_row import FieldRow, FieldState
from metalab.ui.forms.fold import Fold, Group
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint
from metalab.ui.widgets.scrolling import Scrolling

if TYPE_CHECKING:
    from metalab.experiment.fields import FieldInfo

_WIDEST_LABEL = "Held-out queries"
"""Longer labels wrap, so that the fields keep most of a narrow dock."""


class FieldList(Scrolling):
    """Rows in groups.

    Attributes:
        value_edited: Path, and a value or `Unread` that a person entered.
        typing_changed: Path; a key changed the text, the value follows.
        reset_requested: Path.
        see_requested: Name of the workspace that shows what a setting is about.
        sweep_requested: Path, and values to begin with.
    """

    value_edited = Signal(str, object)
    typing_changed = Signal(str)
    reset_requested = Signal(str)
    see_requested = Signal(str)
    sweep_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        content = QWidget()
        super().__init__(content, parent)
        self._rows: dict[str, FieldRow] = {}
        self._groups: dict[str, Group] = {}
        self._words: list[str] = []
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 8)
        self._layout.setSpacing(0)
        self._nothing = QLabel(content)
        self._nothing.setTextFormat(Qt.TextFormat.PlainText)
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._nothing.setContentsMargins(16, 32, 16, 16)
        self._nothing.hide()
        self._layout.addWidget(self._nothing)
        self._layout.addStretch(1)
        follow_theme(self._take_theme)

    @property
    def paths(self) -> Sequence[str]:
        """Path of every field, in order."""
        return tuple(self._rows)

    @property
    def groups(self) -> Mapping[str, Group]:
        """The groups by name, in order."""
        return self._groups

    @property
    def folds(self) -> dict[str, bool]:
        """Parts of the form that a person has opened or closed; True for open ones."""
        return {
            name: fold.chosen
            for name, fold in self._named_folds().items()
            if not fold.is_usual
        }

    def set_folds(self, folds: Mapping[str, bool]) -> None:
        """Open and close parts of the form as they were once left."""
        for name, fold in self._named_folds().items():
            if name in folds:
                fold.set_expanded(expanded=folds[name])

    def _named_folds(self) -> dict[str, Fold]:
        folds: dict[str, Fold] = {}
        for name, group in self._groups.items():
            folds |= {name: group.main, f"{name}.advanced": group.advanced}
        return folds

    @property
    def empty_text(self) -> str:
        """What stands in place of rows when a search finds none; else ""."""
        return "" if self._nothing.isHidden() else self._nothing.text()

    def row(self, path: str) -> FieldRow:
        """Return the row of a field.

        Raises:
            KeyError: There is no such field.
        """
        return self._rows[path]

    def set_fields(self, infos: Sequence["FieldInfo"]) -> None:
        """Have one row for each field; rows of fields that stay are kept."""
        fields = {info.path: _without_value(info) for info in infos}
        kept = {
            path: row
            for path, row in self._rows.items()
            if _without_value(row.info) == fields.get(path)
        }
        if list(kept) == list(fields) == list(self._rows):
            return
        focus = QApplication.focusWidget()
        gone = [row for path, row in self._rows.items() if path not in kept]
        self._rows = {}
        for name, members in groupby(infos, attrgetter("group")):
            group = self._group(name, infos)
            rows = [
                kept.get(info.path) or self._new_row(info, group) for info in members
            ]
            self._rows |= {row.info.path: row for row in rows}
            group.set_rows(rows)
        for row in gone:
            self._retire(row, focus)
        self._chain_tab_order()
        self.align_labels()
        self.search(" ".join(self._words))

    def _group(self, name: str, infos: Sequence["FieldInfo"]) -> Group:
        if name not in self._groups:
            group = Group(group_title(name, infos), self.widget())
            self._groups[name] = group
            # The stretch stays last.
            self._layout.insertWidget(self._layout.count() - 1, group)
        return self._groups[name]

    def _new_row(self, info: "FieldInfo", group: Group) -> FieldRow:
        row = FieldRow(info, titled=info.spec.label == group.title, parent=group)
        row.value_edited.connect(self.value_edited)
        row.typing_changed.connect(self.typing_changed)
        row.reset_requested.connect(self.reset_requested)
        row.see_requested.connect(self.see_requested)
        row.sweep_requested.connect(self.sweep_requested)
        return row

    def _retire(self, row: FieldRow, focus: QWidget | None) -> None:
        """Delete a row; what had the focus in it hands it to its successor."""
        if focus is not None and row.isAncestorOf(focus):
            heir = self._rows.get(row.info.path)
            if heir is None:
                group = self._groups[row.info.group]
                heir = group.rows[0]
            heir.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        row.hide()
        row.deleteLater()

    def _chain_tab_order(self) -> None:
        for before, after in pairwise(self._tab_stops()):
            QWidget.setTabOrder(before, after)

    def _tab_stops(self) -> Iterator[QWidget]:
        for group in self._groups.values():
            yield group.main.header
            for row in group.main.rows:
                yield from (row.editor, row.reset_button)
            yield group.advanced.header
            for row in group.advanced.rows:
                yield from (row.editor, row.reset_button)

    def show_states(
        self,
        states: Mapping[str, FieldState],
        group_problems: Mapping[str, Sequence[str]],
    ) -> None:
        """Show every field's value, difference and problem."""
        for path, state in states.items():
            self._rows[path].show_state(state)
        for name, group in self._groups.items():
            group.set_problems(group_problems.get(name, ()))
            group.refresh_dots()

    def _take_theme(self, theme: Theme) -> None:
        tint(self._nothing, theme.muted)

    def align_labels(self) -> None:
        """Give every label the width of the widest one, up to a limit."""
        limit = self.fontMetrics().horizontalAdvance(_WIDEST_LABEL) + 2
        wanted = max((row.label_width for row in self._rows.values()), default=0)
        for row in self._rows.values():
            row.set_label_width(min(wanted, limit))

    def search(self, text: str) -> None:
        """Show the rows in which every word occurs; all of them for ""."""
        self._words = text.lower().split()
        found = [group.search(self._words) for group in self._groups.values()]
        message = f"No setting matches “{text.strip()}”"
        self._nothing.setText(message)
        self._nothing.setVisible(not any(found))

    def shows(self, path: str) -> bool:
        """Return whether the search leaves a field, or part of a section, visible."""
        return any(row.matches(self._words) for row in self._below(path))

    def reveal(self, path: str) -> None:
        """Unfold, scroll to and focus a field, or the first one of a section."""
        for row in self._below(path):
            self._groups[row.info.group].open_to(row)
            row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            # What has just unfolded has its place once the layouts have run.
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
            self.ensureWidgetVisible(row)
            return

    def focus_first(self) -> None:
        """Focus the first field that the search shows."""
        for row in self._rows.values():
            if row.matches(self._words):
                self.reveal(row.info.path)
                return

    def _below(self, path: str) -> list[FieldRow]:
        return [
            row
            for name, row in self._rows.items()
            if name == path or not path or name.startswith(f"{path}.")
        ]


def _without_value(info: "FieldInfo") -> "FieldInfo":
    """Return what a row is for: any value of the field."""
    return replace(info, value=None)
