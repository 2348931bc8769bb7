"""What the export dialog remembers from one use to the next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """A person's last choices in the export dialog; unknown names fall back.

    Attributes:
        figure: Name of the figure.
        size: Name of the size preset.
        suffix: Of the format.
        dpi: Dots per inch of a PNG.
        folder: Where files go; "" for the documents folder.
        fit: Whether the preview fills the dialog rather than having its true size.
    """

    figure: str = "losses"
    size: str = "single"
    suffix: str = ".pdf"
    dpi: int = 300
    folder: str = ""
    fit: bool = False
