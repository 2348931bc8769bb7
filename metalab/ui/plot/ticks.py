"""Ticks and numbers as figures on paper have them, for the window's plots."""

from metalab.figures.ticks import (
    Tick,
    linear_ticks,
    log_ticks,
    mean_text,
    number_text,
)

__all__ = ["Tick", "linear_ticks", "log_ticks", "mean_text", "number_text"]
