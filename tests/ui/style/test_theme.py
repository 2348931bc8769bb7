"""Colours that everybody tells apart, and that can be read."""

import re
from itertools import combinations
from pathlib import Path

import pytest

import metalab
from metalab.ui.style.theme import DARK, LIGHT
from metalab.ui.workspaces.live.tile_painter import loss_colour
from tests.support.colour_vision import DEFICIENCIES, contrast, distance

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])

SERIES = ("after", "before", "evaluation", "support", "query", "truth")
"""What may stand in one plot."""

OKABE_ITO = {
    "#000000", "#e69f00", "#56b4e9", "#009e73",
    "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
}  # fmt: skip

FAR_APART = 10.0
"""In CIELAB, more than four just noticeable differences; Okabe and Ito's own colours are
at least 16 apart, without a contrast to keep."""


def test_the_simulation_confuses_what_the_colour_blind_do():
    # Pure red and the green of the same lightness for them; a blue beside a yellow.
    assert distance("#ff0000", "#008000") > 100
    assert distance("#a00000", "#4b4b00", "protanopia") < 25
    assert distance("#d55e00", "#a87500", "deuteranopia") < 6
    assert distance("#0000ff", "#ffff00", "deuteranopia") > 100
    assert distance("#777777", "#777777", "tritanopia") == 0


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@THEMES
def test_series_of_a_plot_are_told_apart(theme, deficiency):
    for one, other in combinations(SERIES, 2):
        colours = getattr(theme, one), getattr(theme, other)
        assert distance(*colours, deficiency) >= FAR_APART, (one, other)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@THEMES
def test_low_middle_and_high_losses_are_told_apart(theme, deficiency):
    colours = [loss_colour(share, theme).name() for share in (0.0, 0.5, 1.0)]
    for one, other in combinations(colours, 2):
        assert distance(one, other, deficiency) >= FAR_APART


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@THEMES
def test_a_ramp_goes_one_way(theme, deficiency):
    ramp = theme.ramp(6)
    from_start = [distance(ramp[0], colour, deficiency) for colour in ramp]
    assert from_start == sorted(from_start)
    assert from_start[-1] > 3 * FAR_APART


@THEMES
def test_words_and_lines_stand_out(theme):
    grounds = (theme.window, theme.surface, theme.raised)
    for ground in grounds:
        for role in ("text", "muted"):
            assert contrast(getattr(theme, role), ground) >= 4.5, (role, ground)
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    for role in (*SERIES, "accent", "good", "warning", "error", "ramp_end"):
        assert contrast(getattr(theme, role), theme.surface) >= 3, role


def test_figures_take_the_colours_of_okabe_and_ito():
    package = Path(metalab.__file__).parent
    files = [
        file
        for part in ("figures", "studies")
        for file in (package / part).rglob("*.py")
    ]
    used = {
        colour.lower()
        for file in files
        for colour in re.findall(r'"(#[0-9a-fA-F]{6})"', file.read_text("utf-8"))
    }
    coloured = {c for c in used if len({c[1:3], c[3:5], c[5:7]}) > 1}
    assert len(coloured) >= 5
    assert coloured <= OKABE_ITO
