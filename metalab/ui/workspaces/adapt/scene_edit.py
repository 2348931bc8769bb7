"""An edit of the task on the Adapt canvas, to be undone."""

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from metalab.ui.workspaces.adapt.scene import Scene

_ID = 7301
"""Qt merges commands of one id only."""


class SceneEdit(QUndoCommand):
    """From one task to another; the moves of one drag are one edit."""

    def __init__(
        self,
        show: Callable[[Scene], None],
        *,
        before: Scene,
        after: Scene,
        label: str,
        merge: str,
    ) -> None:
        """Describe an edit.

        Args:
            show: Puts a task onto the canvas.
            before: The task as it was.
            after: The task as it will be.
            label: Of the edit, for a menu.
            merge: Edits in a row with the same one are undone together; "" for none.
        """
        super().__init__(label)
        self._show = show
        self._before = before
        self.after = after
        self.merge = merge

    def id(self) -> int:
        """Return the id under which Qt tries to merge."""
        return _ID if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later move of the same drag."""
        if not isinstance(other, SceneEdit) or other.merge != self.merge:
            return False
        self.after = other.after
        return True

    def redo(self) -> None:
        """Make the edit."""
        self._show(self.after)

    def undo(self) -> None:
        """Take it back."""
        self._show(self._before)
