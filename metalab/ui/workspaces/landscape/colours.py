"""Colours of a landscape, and which loss has which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from metalab.engine.events import Array
from metalab.ui.plot.ticks import Tick, linear_ticks, log_ticks

_STOPS = (
    "440154 470d60 48186a 482374 472d7b 453681 424086 3f4989 3b528b 375a8d 33638d "
    "2f6a8e 2c728e 297a8e 26818e 23898e 21908c 1f988b 1f9f88 21a685 28ae80 31b57b "
    "3ebc74 4cc26c 5dc963 6ece58 82d34c 96d83f abdc32 c0df24 d5e21a eae51a fde725"
)
"""Viridis in 33 evenly spaced colours."""

PATH = QColor("#ffffff")
HALO = QColor(10, 10, 20, 200)
OUTER = QColor("#ff6b81")
CONTOUR = QColor(255, 255, 255, 80)
"""What lies on the colours above, which are the same in every theme."""

_SMALLEST = 1e-12
"""The lowest loss on logarithmic colours: a loss of zero has no logarithm."""


def viridis(shares: Array) -> NDArray[np.uint8]:
    """Return the colours of shares 0 ... 1, [..., 3] of bytes.

    Equal steps look equally far apart, also to the colour-blind and in grey.

    Source: Smith and van der Walt 2015; within two of 255 of their 256 colours.
    """
    places = np.linspace(0.0, 1.0, len(_TABLE))
    channels = [np.interp(shares, places, _TABLE[:, index]) for index in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _table() -> Array:
    codes = [bytes.fromhex(code) for code in _STOPS.split()]
    return np.array([list(code) for code in codes], dtype=np.float64)


_TABLE = _table()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourScale:
    """From losses to colours.

    Attributes:
        low: The lowest, as it stands on the scale: a decimal logarithm where `log`.
        high: The highest, above it.
        log: Whether colours go with the logarithm.
    """

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, losses: Array, *, log: bool) -> "ColourScale":
        """Return the scale from the lowest to the highest of some losses."""
        known = on_scale(losses[np.isfinite(losses)], log=log)
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        # A flat landscape has one colour, and still two ends.
        air = max(abs(float(low)), 1.0) * 1e-6
        return cls(low=float(low), high=max(float(high), float(low) + air), log=log)

    def shares(self, losses: Array) -> Array:
        """Return where losses stand between both ends, 0 ... 1."""
        values = (on_scale(losses, log=self.log) - self.low) / (self.high - self.low)
        return np.clip(values, 0.0, 1.0)

    def levels(self, count: int) -> Array:
        """Return evenly spaced values between the ends, on the scale, [level]."""
        return np.linspace(self.low, self.high, count + 2)[1:-1]

    def ticks(self, most: int) -> list[Tick]:
        """Return ticks, on the scale."""
        ticks = log_ticks if self.log else linear_ticks
        return ticks(self.low, self.high, most)


def on_scale(losses: Array, *, log: bool) -> Array:
    """Return losses as they stand on a scale; NaN where they are not finite."""
    values = np.where(np.isfinite(losses), losses, np.nan).astype(np.float64)
    return np.log10(np.maximum(values, _SMALLEST)) if log else values


def picture_of_losses(losses: Array, scale: ColourScale) -> QImage:
    """Return a picture with one pixel a loss, see-through where it is not finite.

    Args:
        losses: [row, column], the first row at the bottom.
        scale: Its colours.
    """
    rows, columns = losses.shape
    known = np.isfinite(losses)
    pixels = np.zeros((rows, columns, 4), dtype=np.uint8)
    pixels[..., :3] = viridis(scale.shares(np.where(known, losses, 1.0)))
    pixels[..., 3] = 255 * known
    pixels = np.ascontiguousarray(pixels[::-1])
    shown = QImage(
        pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGBA8888
    )
    # A copy of its own: Qt does not keep the bytes alive.
    return shown.copy()
