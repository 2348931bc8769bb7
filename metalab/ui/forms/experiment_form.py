"""The Experiment form: every setting of an experiment, built from its configuration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QUndoStack
from PySide6.QtWidgets import QVBoxLayout, QWidget

from metalab.experiment.naming import derived_name
from metalab.ui.forms.draft import (
    Draft,
    baselines,
    check,
    draft_of,
    layout_of,
    own_name,
    renamed,
    with_value,
)
from metalab.ui.forms.edits import Edit
from metalab.ui.forms.field_list import FieldList
from metalab.ui.forms.field_row import FieldState
from metalab.ui.forms.form_header import FormHeader
from metalab.ui.forms.problems import placed
from metalab.ui.forms.text_entry import is_undo_or_redo

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.experiment.fields import FieldProblem
    from metalab.ui.forms.field_row import FieldRow
    from metalab.ui.forms.fold import Group

_TYPING_PAUSE_MS = 500
"""What is typed counts after this pause, so that half a number is not called wrong."""


class ExperimentForm(QWidget):
    """Edits an `ExperimentConfig`. Create it when the engine has been imported.

    Nothing in it knows an algorithm or a task family: fields, bounds, units and help come
    from `experiment.fields.fields_of`. Values that are not allowed stay where they are
    and are marked.

    Attributes:
        config_changed: The new `ExperimentConfig`, after an edit, an undo or a redo that
            leaves nothing invalid. Not emitted by `set_config`.
        validity_changed: Whether nothing is invalid.
        see_requested: Name of the workspace that shows what a setting is about.
        sweep_requested: Path of a setting, and values to begin a sweep with.
        differences_requested: A person would see what differs from the preset.
        undo_stack: Edits since `set_config`.
    """

    config_changed = Signal(object)
    validity_changed = Signal(bool)
    see_requested = Signal(str)
    sweep_requested = Signal(str, str)
    differences_requested = Signal()

    def __init__(
        self,
        config: "ExperimentConfig",
        parent: QWidget | None = None,
        *,
        reference: "ExperimentConfig | None" = None,
    ) -> None:
        """Show an experiment.

        Args:
            config: What to show.
            parent: The widget around it.
            reference: The preset that differences are shown from; None takes `config`.
        """
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._reference = config if reference is None else reference
        self._announced = config
        self._announced_valid = True
        self._typed_path = ""
        self._header = FormHeader(self)
        self._list = FieldList(self)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_TYPING_PAUSE_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._header)
        layout.addWidget(self._list, 1)
        self._connect()
        self._show(draft_of(config))

    def _connect(self) -> None:
        self._pause.timeout.connect(self.commit)
        self._header.search_changed.connect(self._list.search)
        self._header.search_submitted.connect(self._list.focus_first)
        self._header.reset_all_requested.connect(self.reset_all)
        self._header.name_edited.connect(self.rename)
        self._header.differences_requested.connect(self.differences_requested)
        self._list.value_edited.connect(self._on_value_edited)
        self._list.typing_changed.connect(self._on_typing_changed)
        self._list.reset_requested.connect(self.reset)
        self._list.see_requested.connect(self.see_requested)
        self._list.sweep_requested.connect(self.sweep_requested)
        self.undo_stack.indexChanged.connect(self._announce)

    def set_config(
        self,
        config: "ExperimentConfig",
        *,
        reference: "ExperimentConfig | None" = None,
    ) -> None:
        """Show an experiment, and forget the edits of the one before.

        Args:
            config: What to show.
            reference: The preset that differences are shown from; None keeps it.
        """
        if reference is not None:
            self._reference = reference
        self._show(draft_of(config))
        self._announced = config
        self.undo_stack.clear()
        self._announce()

    @property
    def folds(self) -> dict[str, bool]:
        """Parts of the form that a person has opened or closed; True for open ones."""
        return self._list.folds

    def set_folds(self, folds: Mapping[str, bool]) -> None:
        """Open and close parts of the form as they were once left."""
        self._list.set_folds(folds)

    def config(self) -> "ExperimentConfig | None":
        """Return the experiment, what is being typed included; None if it is invalid."""
        self.commit()
        return self._verdict.config

    def problems(self) -> tuple["FieldProblem", ...]:
        """Return what is wrong; what is being typed is judged after a pause."""
        return self._verdict.problems

    def commit(self) -> None:
        """Take in what is being typed, as leaving the field would."""
        self._pause.stop()
        path, self._typed_path = self._typed_path, ""
        if path:
            self._list.row(path).editor.commit()

    def _discard_typing(self) -> None:
        self._pause.stop()
        path, self._typed_path = self._typed_path, ""
        if path:
            self._list.row(path).editor.discard()

    def set_locked(self, locked: bool) -> None:  # noqa: FBT001 - like Qt's setters
        """Say whether a run is in progress, to which edits do not apply."""
        self._header.set_locked(locked=locked)

    def focus_search(self) -> None:
        """Put the cursor into the search, its text selected."""
        self._header.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._header.search.selectAll()

    def reveal(self, path: str) -> None:
        """Unfold, scroll to and focus a field, or the first one of a section.

        Args:
            path: Of a field, or of a section as in `FieldProblem.path`.
        """
        if not self._list.shows(path):
            self._header.search.clear()
        self._list.reveal(path)

    @property
    def paths(self) -> Sequence[str]:
        """Path of every field, in order."""
        return self._list.paths

    def has(self, path: str) -> bool:
        """Return whether the experiment has a field."""
        return path in self._list.paths

    def row(self, path: str) -> "FieldRow":
        """Return the row of a field.

        Raises:
            KeyError: The experiment has no such field.
        """
        return self._list.row(path)

    def group(self, name: str) -> "Group":
        """Return the group of fields whose paths begin with a name.

        Raises:
            KeyError: The experiment has no such group.
        """
        return self._list.groups[name]

    def show_group(self, name: str, *, shown: bool) -> None:
        """Show or hide a group of fields; one that the experiment lacks is left out."""
        group = self._list.groups.get(name)
        if group is not None:
            group.setVisible(shown)

    @property
    def empty_text(self) -> str:
        """What stands in place of the fields when a search finds none; else ""."""
        return self._list.empty_text

    def reset(self, path: str) -> None:
        """Give a field the preset's value; undoable."""
        self._discard_typing()
        self._on_value_edited(path, self._baselines[path].value)

    def reset_all(self) -> None:
        """Give every field the preset's value; undoable."""
        self._discard_typing()
        values = draft_of(self._reference).values
        after = Draft(origin=self._draft.origin, values=values)
        self._push(after, "", "all settings")

    def rename(self, name: str) -> None:
        """Give the experiment a name of a person's own, "" the derived one; undoable."""
        self._discard_typing()
        if name != own_name(self._draft):
            after = renamed(self._draft, name, reference=self._reference)
            self._push(after, "name", "name")

    def _on_value_edited(self, path: str, value: Any) -> None:
        if path != self._typed_path:
            self.commit()
        self._typed_path = ""
        self._pause.stop()
        after = with_value(self._draft, path, value, reference=self._reference)
        self._push(after, path, self.row(path).info.spec.label)

    def _push(self, after: Draft, path: str, label: str) -> None:
        if after == self._draft:
            return
        before = self._draft
        self.undo_stack.push(
            Edit(self._show, before=before, after=after, path=path, label=label)
        )

    def _on_typing_changed(self, path: str) -> None:
        self._typed_path = path
        self._pause.start()

    def _show(self, draft: Draft) -> None:
        self._discard_typing()
        self._draft = draft
        self._verdict = check(draft)
        self._baselines = baselines(draft, reference=self._reference)
        self._list.set_fields(layout_of(draft))
        shown = placed(self._verdict.problems, self._list.paths)
        states = {
            path: FieldState(
                value=draft.values[path],
                baseline=self._baselines[path],
                message=shown.of_field.get(path, ""),
                reading=self._verdict.readings.get(path, ""),
                suspect=path in shown.suspects,
            )
            for path in self._list.paths
        }
        self._list.show_states(states, shown.of_group)
        self._header.show_problems(shown.of_experiment)
        count = sum(state.differs for state in states.values())
        self._header.show_differences(count, self._reference.name)
        self._header.show_name(own_name(draft), self._derived_name())

    def _derived_name(self) -> str:
        """Return what the experiment is called by itself; "" while it is invalid."""
        config = self._verdict.config
        return "" if config is None else derived_name(config)

    def _announce(self) -> None:
        """Tell others, once the undo stack is at rest, what has become of the edits."""
        config = self._verdict.config
        valid = config is not None
        if valid != self._announced_valid:
            self._announced_valid = valid
            self.validity_changed.emit(valid)
        if config is not None and config != self._announced:
            self._announced = config
            self.config_changed.emit(config)

    def event(self, event: QEvent) -> bool:
        """Keep undo and redo from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and is_undo_or_redo(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo edits."""
        if not is_undo_or_redo(event):
            super().keyPressEvent(event)
            return
        self.commit()
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_stack.undo()
        else:
            self.undo_stack.redo()

    def changeEvent(self, event: QEvent) -> None:
        """Align the labels again when the font changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._list.align_labels()
