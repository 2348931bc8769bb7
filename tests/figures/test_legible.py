"""The smallest text of a figure: known before it is drawn, and what would do."""

from dataclasses import replace

import pytest
from matplotlib.text import Text

from metalab.figures.base import FigureChoices
from metalab.figures.legible import LEGIBLE, small_text, smallest_text
from metalab.figures.paint import paint, styled
from metalab.figures.registry import figures
from metalab.figures.sizes import SIZES, size_named, styled_size
from tests.figures.sights import sight_for, structure_sight


@pytest.mark.parametrize("name", figures())
@pytest.mark.parametrize("size_name", ["single", "slide"])
@pytest.mark.sampled(4)
def test_it_is_what_matplotlib_draws(history, name, size_name):
    size = size_named(size_name)
    drawing = figures()[name].draw(sight_for(name, history), FigureChoices(), size)
    with styled(size):
        figure = paint(drawing, size)
        figure.draw_without_rendering()
        drawn = [
            text.get_fontsize()
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible()
        ]
    assert smallest_text(drawing, size) == pytest.approx(min(drawn))


@pytest.mark.parametrize("name", [n for n in figures() if n != "structure"])
def test_every_preset_can_be_read(history, name):
    sight = sight_for(name, history)
    assert all(small_text(name, sight, size=size) is None for size in SIZES)


def test_a_crowded_column_says_which_width_would_do(history):
    sight = structure_sight(history)
    found = small_text("structure", sight, size="single")
    assert found.points < LEGIBLE
    assert found.font_size is None
    assert (
        small_text("structure", sight, size=styled_size("single", width=found.width))
        is None
    )
    narrower = styled_size("single", width=found.width - 5)
    assert small_text("structure", sight, size=narrower) is not None
    assert f"{found.points:.1f} points" in found.words
    assert f"a width of {found.width} mm would do" in found.words


def test_where_no_width_helps_a_font_size_does(history):
    found = small_text("losses", history, size=styled_size("single", font_size=4))
    assert (found.points, found.width) == (3.5, None)
    mended = styled_size("single", font_size=found.font_size)
    assert small_text("losses", history, size=mended) is None
    assert f"a font size of {found.font_size:g} would do" in found.words


def test_where_neither_helps_alone_both_are_told(history):
    sight = structure_sight(history)
    found = small_text("structure", sight, size=styled_size("single", font_size=4))
    mended = styled_size("single", width=found.width, font_size=found.font_size)
    assert small_text("structure", sight, size=mended) is None
    assert f"{found.width} mm with a font size of {found.font_size:g}" in found.words


def test_where_nothing_helps_it_says_so(history):
    tiny = replace(size_named("single"), width=590, height=1, text=1, small_text=1)
    found = small_text("structure", structure_sight(history), size=tiny)
    assert (found.width, found.font_size) == (None, None)
    assert "no size mends that" in found.words
