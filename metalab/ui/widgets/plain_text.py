"""Tooltips of what somebody else wrote."""

from html import escape

from PySide6.QtGui import Qt


def plain_tip(text: str) -> str:
    """Return a tooltip that shows a text letter by letter.

    Qt takes a name such as `<img src="/dev/zero">` for markup and reads that file to its
    end; names come with share codes, run files and folders.
    """
    if not Qt.mightBeRichText(text):
        return text
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>"


def plain_label(text: str) -> str:
    """Return a menu text without mnemonic and ellipsis."""
    return text.replace("&", "").removesuffix("…")
