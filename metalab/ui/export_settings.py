"""What the export dialog remembers from one use to the next."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

_Line = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00-\x1f]*$")]


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

    figure: _Line = "losses"
    size: _Line = "single"
    suffix: _Line = ".pdf"
    dpi: Annotated[int, Field(ge=1, le=100_000)] = 300
    folder: _Line = ""
    fit: bool = False
