"""The key above a plot: as many lines as its entries need, whatever the width."""

import pytest
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from metalab.ui.plot.painting import Ink
from metalab.ui.widgets.legend import _GAP, _SWATCH, Entry, Legend, Swatch

pytestmark = pytest.mark.gui


def test_all_lines_are_there_after_another_width(qtbot):
    split, left = QSplitter(), QWidget()
    qtbot.addWidget(split)
    legend, below = Legend(), QWidget()
    column = QVBoxLayout(left)
    column.setSpacing(0)
    column.addWidget(legend)
    column.addWidget(below, 1)
    split.addWidget(left)
    split.addWidget(QWidget())
    split.setSizes([700, 700])
    for place in range(2):
        split.setStretchFactor(place, 1)
    ink = Ink(role="text")
    legend.set_entries(
        *(Entry(swatch=Swatch.LINE, ink=ink, text=f"entry {i}") for i in range(12))
    )
    split.resize(1400, 500)
    split.show()
    qtbot.waitExposed(split)
    heights = []
    for width in (1400, 900, 420, 900, 1400):
        split.resize(width, 500)
        qtbot.waitUntil(
            lambda: (
                legend.height() == legend.heightForWidth(legend.width())
                and below.y() == legend.geometry().bottom() + 1
            ),
            timeout=1000,
        )
        heights.append(legend.height())
    assert heights[0] < heights[1] < heights[2]
    assert heights == heights[::-1]


def test_the_last_entry_of_a_line_keeps_off_the_edge(qtbot):
    legend = Legend()
    qtbot.addWidget(legend)
    ink = Ink(role="text")
    entries = [Entry(swatch=Swatch.LINE, ink=ink, text=f"entry {i}") for i in range(2)]
    legend.set_entries(*entries)
    lines = [legend.heightForWidth(width) for width in range(100, 400)]
    breaks_at = 100 + lines.index(lines[-1])
    place, _ = legend._places(breaks_at)[-1]
    text = legend.fontMetrics().horizontalAdvance("entry 1")
    end = place + _SWATCH + _GAP + text
    assert breaks_at - end == legend._places(breaks_at)[0][0]
