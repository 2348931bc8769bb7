"""Settings that the export dialog keeps from one use to the next."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from metalab.figures.sizes import (
    DEFAULT_FONT,
    FONT_SIZE_RANGE,
    LINE_WIDTH_RANGE,
    WIDTH_RANGE,
)

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
        width: In mm; 0 for the size preset's.
        font: Family of the text.
        font_size: In points; 0 for the size preset's.
        line_width: In points; 0 for the size preset's.
        svg_text: Whether text in an SVG stays text.
        fit: Whether the preview fills the dialog rather than having its true size.
    """

    figure: _Line = "losses"
    size: _Line = "single"
    suffix: _Line = ".pdf"
    dpi: Annotated[int, Field(ge=1, le=100_000)] = 300
    folder: _Line = ""
    width: Annotated[float, Field(ge=0, le=WIDTH_RANGE[1])] = 0.0
    font: _Line = DEFAULT_FONT
    font_size: Annotated[float, Field(ge=0, le=FONT_SIZE_RANGE[1])] = 0.0
    line_width: Annotated[float, Field(ge=0, le=LINE_WIDTH_RANGE[1])] = 0.0
    svg_text: bool = False
    fit: bool = False
