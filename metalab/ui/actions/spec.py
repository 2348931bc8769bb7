"""Types of the action table: one line each."""

from collections.abc import Callable
from dataclasses import dataclass

from metalab.ui.actions import enablement
from metalab.ui.session.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One thing that can be done.

    Attributes:
        key: Unique name; the handler is the method of this name of `Commands`.
        text: As in a menu, with its mnemonic.
        tooltip: One plain sentence; shortcut and reason for being off are added.
        menu: The menu it stands in.
        shortcuts: Keys; the first is shown.
        icon: File in `assets/icons`; "" for none.
        short: On the toolbar, if shorter than `text`.
        why_not: Returns why it would do nothing just now; "" if it would.
        checkable: Whether it is a state that is on or off.
        separated: Whether a line stands before it in its menu.
        synonyms: What else it is looked for as in the command palette.
    """

    key: str
    text: str
    tooltip: str
    menu: str
    shortcuts: tuple[str, ...]
    icon: str = ""
    short: str = ""
    why_not: Callable[[Session], str] = enablement.always
    checkable: bool = False
    separated: bool = False
    synonyms: tuple[str, ...] = ()
