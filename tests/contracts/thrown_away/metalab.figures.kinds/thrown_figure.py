"""The outer loss as bare numbers."""

from metalab.figures.base import FigureSpec
from metalab.figures.kinds.losses import FIGURE as LOSSES

FIGURE = FigureSpec(
    name="thrown-figure",
    title="Thrown in",
    heeds=LOSSES.heeds,
    draw=LOSSES.draw,
    over_training=True,
)
