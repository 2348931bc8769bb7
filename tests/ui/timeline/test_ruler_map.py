"""What is painted on the outer ruler, and how often."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from metalab.ui.style.theme import DARK
from metalab.ui.style.theming import change_theme
from metalab.ui.timeline import ruler as ruler_module
from metalab.ui.timeline.model import DIVERGED, EDITED, FORKED, Flag
from metalab.ui.timeline.ruler import OuterRuler
from tests.ui.timeline.models import model

pytestmark = pytest.mark.gui


def colours_near(ruler, step: float) -> set[str]:
    image = ruler.grab().toImage()
    x = round(ruler.x_of(step))
    return {
        image.pixelColor(column, y).name()
        for column in range(x - 4, x + 8)
        for y in range(image.height())
    }


def test_playhead_loss_and_marks_are_painted(ruler):
    flag = Flag(step=150, kind=DIVERGED, text="x")
    ruler.show_model(model(flags=(flag,)))
    ruler.set_position(500, following=False, exact=True)
    assert QColor(DARK.accent).name() in colours_near(ruler, 500)
    assert QColor(DARK.after).name() in colours_near(ruler, 60)
    assert QColor(DARK.error).name() in colours_near(ruler, 150)
    assert QColor(DARK.support).name() in colours_near(ruler, 300)
    assert QColor(DARK.after).name() not in colours_near(ruler, 1600)


def columns(ruler, step: int, colour: str) -> list[int]:
    """Return in which rows a colour stands near an outer step."""
    image, x = ruler.grab().toImage(), round(ruler.x_of(step))
    return [
        y
        for y in range(image.height())
        if any(
            image.pixelColor(column, y).name() == colour
            for column in range(x - 4, x + 9)
        )
    ]


def test_a_flag_and_a_bookmark_at_one_step_are_both_seen(ruler):
    flag = Flag(step=300, kind=DIVERGED, text="x")
    ruler.show_model(
        model(flags=(flag,), x=np.empty(0), low=np.empty(0), high=np.empty(0))
    )
    cloth = columns(ruler, 300, QColor(DARK.error).name())
    ribbon = columns(ruler, 300, QColor(DARK.support).name())
    assert len(ribbon) >= 6
    assert len([y for y in cloth if y < ribbon[0]]) >= 6


def test_kinds_of_flags_are_told_apart_without_colour(ruler):
    shapes = set()
    for kind, role in (
        (EDITED, DARK.evaluation),
        (DIVERGED, DARK.error),
        (FORKED, DARK.query),
    ):
        ruler.show_model(model(flags=(Flag(step=500, kind=kind, text="x"),)))
        image = ruler.grab().toImage()
        x, top = round(ruler.x_of(500)), round(ruler.area().top())
        shapes.add(
            tuple(
                image.pixelColor(x + a, top + b).name() == role
                for b in range(8)
                for a in range(1, 9)
            )
        )
    assert len(shapes) == 3


@pytest.mark.parametrize("trained", [0, 1000])
def test_what_is_not_trained_is_hatched(trained, ruler):
    none = np.empty(0)
    ruler.show_model(model(last_step=trained, x=none, low=none, high=none))
    image, area = ruler.grab().toImage(), ruler.area()
    y = round(area.center().y())

    def colours(begin: int, end: int) -> set[str]:
        span = range(round(ruler.x_of(begin)) + 4, round(ruler.x_of(end)) - 4)
        return {image.pixelColor(x, y).name() for x in span}

    assert DARK.border in colours(1100, 1900)
    assert (DARK.border in colours(350, 650)) == (trained == 0)


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_the_label_is_whole_at_any_size_of_font(scale, ruler):
    font = QFont(ruler.font())
    font.setPointSizeF(scale * font.pointSizeF())
    ruler.setFont(font)
    change_theme(DARK.scaled(scale))
    ruler.resize(824, ruler.sizeHint().height())
    none = np.empty(0)
    ruler.show_model(model(x=none, low=none, high=none, bookmarks=()))
    ruler.set_position(777, following=False, exact=True)
    ruler.clearFocus()
    image = ruler.grab().toImage()
    x = round(ruler.x_of(777))
    # Left of the playhead, where the digits are; their edges are blended.
    inked = [
        y
        for y in range(int(ruler.area().top()))
        if any(
            image.pixelColor(column, y).name() != DARK.window
            for column in range(x - 40, x - 10)
        )
    ]
    small = QFont(font)
    small.setPointSizeF(0.85 * font.pointSizeF())
    digits = QFontMetricsF(small).tightBoundingRect("7").height()
    assert digits <= len(inked) <= digits + 3
    assert min(inked) > 1
    assert max(inked) < int(ruler.area().top()) - 1
    assert ruler.area().height() >= 34 * scale


@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.25, 1.5, 2.0])
def test_the_map_is_painted_once_at_every_scale_of_the_screen(
    ratio, ruler, monkeypatch
):
    painted = []
    original = ruler_module.painted_map

    def counted(*given):
        painted.append(given)
        return original(*given)

    monkeypatch.setattr(ruler_module, "painted_map", counted)
    monkeypatch.setattr(OuterRuler, "devicePixelRatioF", lambda _: ratio)
    ruler.resize(823, ruler.height())
    ruler.show_model(model())
    for step in range(0, 1000, 100):
        ruler.set_position(step, following=False, exact=True)
        ruler.repaint()
    assert len(painted) == 1
    ruler.resize(700, ruler.height())
    ruler.repaint()
    assert len(painted) == 2
