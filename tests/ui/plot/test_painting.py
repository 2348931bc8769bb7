import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QLabel

from metalab.ui.plot.painting import Ink, draw_segments, mixed, picture_of, ramp_ink
from metalab.ui.style.theme import DARK, LIGHT


def drawn(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return where a line leaves ink, [row, column]."""
    image = QImage(40, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.setPen(QPen(QColor("white"), 1))
    draw_segments(painter, x, y)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(40, 40, 4)
    return pixels[:, :, 0] > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_a_line_goes_where_it_should(dtype):
    ink = drawn(np.array([5, 30], dtype=dtype), np.array([10, 10], dtype=dtype))
    assert ink[10, 6:30].all()
    assert ink.sum() <= 27


def test_columns_of_a_table_are_drawn_as_they_are():
    table = np.zeros((2, 7))
    table[:, 2], table[:, 5] = [5, 30], [10, 10]
    assert drawn(table[:, 2], table[:, 5])[10, 6:30].all()


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_a_gap_stays_white(gap):
    x = np.array([2.0, 10.0, 15.0, 20.0, 35.0])
    ink = drawn(x, np.array([8.0, 8.0, gap, 8.0, 8.0]))
    assert ink[8, 3:10].all()
    assert ink[8, 21:35].all()
    assert not ink[:, 12:19].any()


def test_what_is_far_away_does_no_harm():
    ink = drawn(np.array([5.0, 20.0, 35.0]), np.array([20.0, 1e300, 20.0]))
    assert ink[21:, 5].any()


@pytest.mark.parametrize("count", [0, 1])
def test_no_line_without_two_points(count):
    assert not drawn(np.zeros(count), np.zeros(count)).any()


def test_inks_follow_the_theme():
    ink = Ink(role="after", share=0.0)
    assert ink.colour(DARK).name() == DARK.surface
    assert Ink(role="after").colour(LIGHT).name() == LIGHT.after
    assert mixed("#000000", "#ffffff", 0.5).name() == "#808080"


def test_the_ramp_rises_to_k_and_on():
    shares = [ramp_ink(step, 5, 20).share for step in range(21)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[5] > 0.5
    assert ramp_ink(5, 5, 5).share == 1.0
    assert 0 <= ramp_ink(0, 0, 0).share <= 1


def test_a_picture_has_every_visible_part(qtbot):
    parts = [QLabel("one"), QLabel("two"), QLabel("hidden")]
    for part in parts:
        qtbot.addWidget(part)
        part.resize(100, 20)
        part.setAlignment(Qt.AlignmentFlag.AlignCenter)
    parts[0].show()
    parts[1].show()
    two = picture_of(parts, title="Title", ratio=2.0)
    one = picture_of(parts[:1], title="Title", ratio=2.0)
    assert two.devicePixelRatio() == 2.0
    assert two.height() - one.height() == 2 * parts[1].height()
    assert two.pixelColor(0, 0).name() == DARK.surface
