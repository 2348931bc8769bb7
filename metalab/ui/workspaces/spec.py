"""Description of a page, available before the page is imported."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSpec:
    """One page of the centre.

    Attributes:
        key: Unique name.
        place: Pages stand in the order of these; the first is shown at the start.
        text: On its tab and in the menu, with its mnemonic.
        tooltip: One plain sentence.
        page: Module and class, imported when the page is first looked at.
        synonyms: What else it is looked for as in the command palette.
    """

    key: str
    place: int
    text: str
    tooltip: str
    page: str
    synonyms: tuple[str, ...] = ()
