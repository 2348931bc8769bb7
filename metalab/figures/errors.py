"""Error of a figure that cannot be drawn or written."""

from metalab.core.errors import UserError


class FigureError(UserError):
    """A figure cannot be drawn or written; the message says what would be right."""
