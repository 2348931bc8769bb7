"""Draw the formula of every term as SVG, so that the window needs no matplotlib.

Run after a change of terms.toml:  python packaging/make_formulas.py
One drawing serves every theme: its colour is "currentColor", which the window replaces.
"""

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import text_to_path

from metalab.ui.learn.terms import FORMULAS, load_terms

SIZE = 15.0
"""Size of the letters, in device-independent pixels."""

MARGIN = 1.0

FINENESS = 20
"""Units of a drawing for each of those pixels: with them, numbers are whole and short."""

LETTERS = {
    Outline.MOVETO: ("M", 1),
    Outline.LINETO: ("L", 1),
    Outline.CURVE3: ("Q", 2),
    Outline.CURVE4: ("C", 3),
    Outline.CLOSEPOLY: ("Z", 1),
}
"""Letter of SVG, and number of points, for each code of matplotlib."""


def outline(formula: str) -> Outline:
    """Return the letters and bars of a formula, y upwards."""
    font = FontProperties(size=SIZE, math_fontfamily="stix")
    vertices, codes = text_to_path.get_text_path(font, f"${formula}$", ismath=True)
    path = Outline(np.asarray(vertices), codes)
    # Glyphs come in units of matplotlib's own size of letters.
    scale = SIZE / text_to_path.FONT_SCALE
    return Outline(path.vertices * scale, path.codes)


def drawing(formula: str) -> str:
    """Return a formula as the text of an SVG file."""
    path = outline(formula)
    low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
    width, height = high - low + 2 * MARGIN
    # SVG counts y downwards.
    points = np.stack(
        [
            path.vertices[:, 0] - low[0] + MARGIN,
            high[1] - path.vertices[:, 1] + MARGIN,
        ],
        axis=1,
    )
    box = f"0 0 {width * FINENESS:.0f} {height * FINENESS:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.2f}" '
        f'height="{height:.2f}" viewBox="{box}">\n'
        # Tells a test whether the drawing is that of the formula as it is now.
        f"<desc>{escape(formula)}</desc>\n"
        f'<path fill="currentColor" d="{commands(points, path.codes)}"/>\n</svg>\n'
    )


def commands(points: np.ndarray, codes: np.ndarray) -> str:
    """Return an outline in the letters of an SVG path."""
    parts: list[str] = []
    at = 0
    while at < len(codes):
        letter, count = LETTERS[codes[at]]
        numbers = () if letter == "Z" else points[at : at + count].ravel()
        whole = (str(round(number * FINENESS)) for number in numbers)
        parts.append(letter + " ".join(whole))
        at += count
    return "".join(parts)


def main() -> None:
    """Draw every formula, and remove drawings that no term has any more."""
    FORMULAS.mkdir(exist_ok=True)
    wanted: set[Path] = set()
    for term in load_terms().terms:
        if term.formula:
            path = FORMULAS / f"{term.key}.svg"
            path.write_text(drawing(term.formula), encoding="utf-8")
            wanted.add(path)
    for path in set(FORMULAS.glob("*.svg")) - wanted:
        path.unlink()
    print(f"{len(wanted)} formulas in {FORMULAS}")


if __name__ == "__main__":
    main()
