"""Edits of the form that can be undone."""

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from metalab.ui.forms.draft import Draft


class Edit(QUndoCommand):
    """A change of one field, or of all. Edits of one field in a row are one edit."""

    def __init__(
        self,
        show: Callable[[Draft], None],
        *,
        before: Draft,
        after: Draft,
        path: str,
        label: str,
    ) -> None:
        """Describe the change; pushing it on the stack makes it.

        Args:
            show: Takes a draft into the form.
            before: What the form held.
            after: What it is to hold.
            path: The field; "" for many, which are never merged.
            label: The field's name for people.
        """
        super().__init__(label)
        self._show = show
        self._before = before
        self._after = after
        self._path = path

    def redo(self) -> None:
        """Show the changed draft."""
        self._show(self._after)

    def undo(self) -> None:
        """Show the draft before the change."""
        self._show(self._before)

    def id(self) -> int:
        """Return a number that edits which may merge have in common."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later edit of the same field; vanish if it undid this one."""
        if not isinstance(other, Edit) or not self._path or other._path != self._path:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True
