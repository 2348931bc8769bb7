"""Edits of the form that can be undone."""

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from metalab.ui.forms.draft import Draft


class Edit(QUndoCommand):
    """A change of one field, or of all. Edits of one field in a row are one edit.

    Attributes:
        path: The field; "" for many, which are never merged.
        after: What the form holds after the edit.
    """

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
        self.after = after
        self.path = path

    def redo(self) -> None:
        """Show the changed draft."""
        self._show(self.after)

    def undo(self) -> None:
        """Show the draft before the change."""
        self._show(self._before)

    def id(self) -> int:
        """Return a number that edits which may merge have in common."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later edit of the same field; vanish if it undid this one."""
        if not isinstance(other, Edit) or not self.path or other.path != self.path:
            return False
        self.after = other.after
        self.setObsolete(self.after == self._before)
        return True
