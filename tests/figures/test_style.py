"""Width, font, size of text and lines of a person's choice, in the files themselves."""

import csv
import io
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from metalab.figures import fonts
from metalab.figures.errors import FigureError
from metalab.figures.fonts import check_font, font_families
from metalab.figures.registry import figures
from metalab.figures.render import draw, encode
from metalab.figures.sizes import SIZES, largest_text, size_named, styled_size
from tests.figures.sights import sight_for

FONT = "DejaVu Serif"
"""Comes with matplotlib, as the default one does."""


def fonts_in(content):
    """The families embedded in a PDF, as poppler tells them, else as the file does."""
    if shutil.which("pdffonts"):
        done = subprocess.run(
            ["pdffonts", "-"], input=content, capture_output=True, check=True
        )
        rows = done.stdout.decode().splitlines()[2:]
        assert rows
        # Embedded, in a subset: the columns emb and sub.
        assert all(re.search(r"yes yes yes", row) for row in rows), rows
        return {row.split()[0].split("+")[-1].split("-")[0] for row in rows}
    (page,) = PdfReader(io.BytesIO(content)).pages
    names = [
        font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()
    ]
    return {str(name).lstrip("/").split("+")[-1].split("-")[0] for name in names}


@pytest.mark.parametrize("name", figures())
@pytest.mark.sampled(3)
def test_the_font_asked_for_is_in_the_pdf(history, name):
    size = styled_size("single", font=FONT)
    content = encode(name, sight_for(name, history), ".pdf", size=size)
    # What the font lacks, such as the nabla of formulas, comes from the default one.
    assert "DejaVuSerif" in fonts_in(content)
    if name not in ("structure", "estimators"):
        assert fonts_in(content) == {"DejaVuSerif"}


def test_numbers_reach_the_figure(history):
    size = styled_size("single", width=120, font_size=10, line_width=2)
    figure = draw("losses", history, size=size)
    assert figure.get_size_inches() * 25.4 == pytest.approx([120, 62 * 120 / 89])
    axes = figure.axes[0]
    assert axes.xaxis.label.get_size() == 10
    assert axes.xaxis.get_ticklabels()[0].get_size() == pytest.approx(10 * 7 / 8)
    after = next(ln for ln in axes.lines if ln.get_label() == "After 2 inner steps")
    assert after.get_linewidth() == pytest.approx(1.6 * 2)


@pytest.mark.parametrize("name", SIZES)
def test_without_a_wish_a_preset_is_as_it_is(name):
    assert styled_size(name) == size_named(name)


def is_drawn_or_told(name, sight, size):
    try:
        encode(name, sight, ".png", size=size, dpi=30)
    except FigureError as error:
        told = f"at a width of {size.width:g} mm"
        return "there is no room for" in str(error) and told in str(error)
    return True


@pytest.mark.parametrize("name", figures())
@pytest.mark.sampled(3)
def test_the_largest_text_still_leaves_room(history, name):
    """Or it is said in words: matplotlib would draw axes of no size."""
    for preset, width in (("single", 89), ("square", 40), ("slide", 600)):
        size = styled_size(preset, width=width, font_size=min(largest_text(width), 60))
        assert is_drawn_or_told(name, sight_for(name, history), size)


def test_text_in_svg_is_text_on_request(history):
    plain = encode("losses", history, ".svg").decode()
    kept = encode("losses", history, ".svg", size=styled_size("single", svg_text=True))
    root = ElementTree.fromstring(kept)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Outer step", "Query loss (y²)", "Before adaptation"} <= set(texts)
    assert "DejaVu Sans" in kept.decode()
    assert "<text" not in plain


def test_the_data_are_the_same_in_any_style(history):
    size = styled_size("slide", width=300, font=FONT, font_size=20, line_width=3)
    content = encode("losses", history, ".csv", size=size)
    assert content == encode("losses", history, ".csv")
    assert len(list(csv.reader(io.StringIO(content.decode())))) > 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 29}, "width is 29; allowed: 40 to 600"),
        ({"width": float("nan")}, "width is nan; allowed: 40 to 600"),
        ({"font_size": 61}, "font_size is 61; allowed: 3 to 60"),
        ({"font_size": 15}, "font_size is 15; allowed at a width of 89 mm: up to 11.4"),
        ({"line_width": 0}, "line_width is 0; allowed: 0.2 to 10"),
    ],
)
def test_what_cannot_be_is_named_with_its_bounds(options, message):
    with pytest.raises(FigureError, match=message):
        styled_size("single", **options)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (
            "DejaVu Serf",
            "'DejaVu Serf', which is not installed here; did you mean 'DejaV",
        ),
        ("dejavu serif", "did you mean 'DejaVu Serif'"),
        ("", "'', which is not installed here; allowed: a family that is installed"),
        ("cmsy10", "'cmsy10', which lacks letters or signs that figures need"),
    ],
)
def test_a_font_that_is_not_there_is_not_replaced_in_silence(history, family, message):
    with pytest.raises(FigureError, match=message):
        encode("losses", history, ".pdf", size=styled_size("single", font=family))


def test_every_font_that_is_offered_can_be_had():
    families = font_families()
    assert families[0] == "DejaVu Sans"
    assert FONT in families
    for family in families:
        check_font(family)


@pytest.mark.parametrize(
    ("family", "known", "near"),
    [
        ("Times", ["DejaVu Sans", "Nimbus Roman", "P052"], ["Nimbus Roman"]),
        (
            "times",
            ["Nimbus Roman", "Times New Roman"],
            ["Times New Roman", "Nimbus Roman"],
        ),
        ("Arial", ["Nimbus Sans", "STIXGeneral"], ["Nimbus Sans"]),
        ("Nimbus", ["Nimbus Sans", "P052"], ["Nimbus Sans"]),
        ("DejaVu Sand", ["DejaVu Sans", "P052"], ["DejaVu Sans"]),
        ("Qqq", ["DejaVu Sans"], []),
    ],
)
def test_a_missing_family_names_those_near_it(monkeypatch, family, known, near):
    monkeypatch.setattr(fonts, "_faces", dict)
    monkeypatch.setattr(fonts, "font_families", lambda: known)
    with pytest.raises(FigureError, match=f"font is '{family}', which is not") as error:
        check_font(family)
    if near:
        names = " or ".join(map(repr, near))
        assert str(error.value).endswith(f"did you mean {names}?")
    else:
        assert "allowed: a family that is installed" in str(error.value)
