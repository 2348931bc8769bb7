"""Faint outlines of the plots, shown before anything has run."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from metalab.engine.events import Array
from metalab.ui.plot.painting import mixed
from metalab.ui.style.theme import Theme

_STRENGTH = 0.15
_GAP = 6.0
_MARGIN = 26.0
_NUM_POINTS = 90
_NUM_STEPS = 6
_TILES = 4


def paint_ghosts(
    painter: QPainter, frame: QRectF, split: tuple[float, float], theme: Theme
) -> None:
    """Paint four cards with the curves that a run would fill them with.

    Args:
        painter: Antialiased.
        frame: Where.
        split: Share of the width and of the height that the first card has.
        theme: Colours.
    """
    left, top = frame.width() * split[0], frame.height() * split[1]
    right, bottom = frame.width() - left, frame.height() - top
    x, y = frame.left(), frame.top()
    cards = (
        (_losses, QRectF(x, y, left - _GAP, top - _GAP)),
        (_adaptation, QRectF(x + left, y, right, top - _GAP)),
        (_inner_losses, QRectF(x, y + top, left - _GAP, bottom)),
        (_tiles, QRectF(x + left, y + top, right, bottom)),
    )
    for paint, card in cards:
        painter.fillRect(card, QColor(theme.surface))
        inside = card.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if inside.width() > _MARGIN and inside.height() > _MARGIN:
            paint(painter, inside, theme)


def _ghost(colour: str, theme: Theme) -> QColor:
    return mixed(theme.surface, colour, _STRENGTH)


def _axes(painter: QPainter, frame: QRectF, theme: Theme) -> None:
    painter.setPen(QPen(_ghost(theme.muted, theme), 1.5))
    painter.drawPolyline([frame.topLeft(), frame.bottomLeft(), frame.bottomRight()])


def _curve(painter: QPainter, frame: QRectF, y: Array, pen: QPen) -> None:
    """Paint values from 0 (bottom) to 1 (top), evenly from left to right."""
    x = np.linspace(frame.left(), frame.right(), len(y)).tolist()
    heights = (frame.bottom() - y * frame.height()).tolist()
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    points = [QPointF(*point) for point in zip(x, heights, strict=True)]
    painter.drawPolyline(QPolygonF(points))


def _losses(painter: QPainter, frame: QRectF, theme: Theme) -> None:
    _axes(painter, frame, theme)
    t = np.linspace(0, 1, _NUM_POINTS)
    before = 0.86 - 0.06 * np.exp(-9 * t) + 0.008 * np.sin(40 * t)
    after = 0.14 + 0.68 * np.exp(-5 * t) + 0.012 * np.sin(31 * t)
    _curve(painter, frame, before, QPen(_ghost(theme.before, theme), 2))
    _curve(painter, frame, after, QPen(_ghost(theme.after, theme), 3.5))


def _adaptation(painter: QPainter, frame: QRectF, theme: Theme) -> None:
    _axes(painter, frame, theme)
    t = np.linspace(-5, 5, _NUM_POINTS)
    goal = 0.5 + 0.4 * np.sin(t - 0.6)
    start = 0.5 + 0.12 * np.sin(t + 0.5)
    for step in range(_NUM_STEPS):
        share = 1 - 0.55**step
        _curve(
            painter,
            frame,
            start + share * (goal - start),
            QPen(_ghost(theme.after, theme), 1.5 + 0.3 * step),
        )
    dashed = QPen(_ghost(theme.truth, theme), 2)
    dashed.setDashPattern((4.0, 3.0))
    _curve(painter, frame, goal, dashed)


def _inner_losses(painter: QPainter, frame: QRectF, theme: Theme) -> None:
    _axes(painter, frame, theme)
    t = np.linspace(0, 1, _NUM_POINTS)
    for rate, floor, colour in (
        (4.0, 0.3, theme.evaluation),
        (6.0, 0.2, theme.query),
        (8.0, 0.08, theme.support),
    ):
        values = floor + (0.9 - floor) * np.exp(-rate * t)
        _curve(painter, frame, values, QPen(_ghost(colour, theme), 2.5))


def _tiles(painter: QPainter, frame: QRectF, theme: Theme) -> None:
    width = (frame.width() + _GAP) / _TILES - _GAP
    height = (frame.height() + _GAP) / _TILES - _GAP
    t = np.linspace(-5, 5, _NUM_POINTS // 3)
    for place in range(_TILES * _TILES):
        row, column = divmod(place, _TILES)
        tile = QRectF(
            frame.left() + column * (width + _GAP),
            frame.top() + row * (height + _GAP),
            width,
            height,
        )
        painter.setPen(QPen(_ghost(theme.muted, theme), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(tile, 4, 4)
        wave = 0.5 + (0.1 + 0.08 * ((5 * place) % 4)) * np.sin(t - 0.4 * place)
        _curve(painter, tile, wave, QPen(_ghost(theme.after, theme), 2))
