"""From a drawing to a matplotlib Figure. The only module that imports matplotlib.

Through its object interface alone: no pyplot, no backend of the process, and settings
only within `styled`.
"""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from metalab.figures.drawing import Call, Drawing
from metalab.figures.sizes import FigureSize

_AXES = ("ax", "key")
"""Names of the axes of a figure without panels, in their order."""

NoRoomWarning = UserWarning
"""Beginning of matplotlib's warning; `styled` turns it into an error."""

_NO_ROOM = ".*axes sizes collapsed"

_MOST_POINTS = 4_000
"""Of one line: more than a printer can tell apart in a column of 183 mm."""


@contextmanager
def styled(size: FigureSize) -> Generator[None]:
    """Give matplotlib the settings of a size, and nothing of the user's, for a while.

    A layout that leaves no room for axes raises `NoRoomWarning` instead of being told on
    stderr and drawn all the same.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("error", message=_NO_ROOM)
        mpl.rcdefaults()
        mpl.rcParams.update(size.style())  # pyright: ignore[reportCallIssue, reportArgumentType] - the stubs list the keys
        yield


def paint(drawing: Drawing, size: FigureSize) -> Figure:
    """Return the figure. Call within `styled`."""
    figure = Figure(figsize=size.inches, layout=drawing.layout)
    if drawing.panels:
        panels = figure.subplots(*drawing.grid(size), **drawing.grid_options()).flat
        names = {f"ax{i}": axes for i, axes in enumerate(panels, start=1)}
        names["fig"] = figure
    elif drawing.keyed:
        axes, key = figure.subplots(1, 2, width_ratios=size.key_widths)
        names = {"fig": figure, "ax": axes, "key": key}
    else:
        names = {"fig": figure, "ax": figure.subplots()}
    for call in drawing.calls:
        _perform(call, names, drawing)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisScale:
    """What axes show.

    Attributes:
        x: Ends of the horizontal axis.
        y: Ends of the vertical axis.
        log_y: Whether the vertical axis is logarithmic.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool


def scales_of(figure: Figure) -> dict[str, AxisScale]:
    """Return what each of a figure's axes shows, by the axes' names."""
    return {
        name: AxisScale(
            x=_ends(axes.get_xlim()),
            y=_ends(axes.get_ylim()),
            log_y=axes.get_yscale() == "log",
        )
        for name, axes in _named_axes(figure)
    }


def _ends(limits: tuple[Any, Any]) -> tuple[float, float]:
    return float(limits[0]), float(limits[1])


def place_of(figure: Figure) -> dict[str, NDArray[np.float64]]:
    """Return where the layout puts each axes, by name. Call within `styled`.

    Returns:
        Left, bottom, right and top, as shares of the figure, [4].
    """
    figure.draw_without_rendering()
    return {
        name: np.array(axes.get_position().extents)
        for name, axes in _named_axes(figure)
    }


def pixels(figure: Figure, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a figure as pixels. Call within `styled`.

    Args:
        figure: The figure, wherever its layout leaves it.
        size: Width and height in pixels, of the figure's shape but for the rounding.

    Returns:
        Red, green and blue, [row, column, 3].
    """
    width, height = size
    figure.set_dpi(width / figure.get_figwidth())
    figure.set_figheight(height / figure.dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:height, :width, :3].copy()


def _named_axes(figure: Figure) -> "zip[tuple[str, Any]]":
    return zip(_AXES, figure.axes, strict=False)


def _perform(call: Call, names: dict[str, Any], drawing: Drawing) -> None:
    data = drawing.table.select(call.columns, call.where) if call.columns else []
    options = dict(call.options)
    is_line = call.method.startswith("ax") and call.method.endswith(".plot")
    if is_line and call.columns:
        x, y = data
        data = _thinned(x, y)
        if "markevery" in options:
            share = len(data[0]) / max(len(x), 1)
            options["markevery"] = max(1, round(options["markevery"] * share))
    _method(call.method, names)(*data, *call.arguments, **options)


def _method(path: str, names: dict[str, Any]) -> Any:
    first, *rest = path.split(".")
    found = names[first]
    for name in rest:
        found = getattr(found, name.removesuffix("[:]"))
        if name.endswith("[:]"):
            found = found[:]
    return found


def _thinned(x: NDArray[Any], y: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the points of a long line that can be seen: extremes of short stretches.

    Without it a run of a million outer steps makes an SVG of 50 MB.
    """
    stretch = len(y) // (_MOST_POINTS // 2)
    if stretch <= 2:
        return [x, y]
    whole = len(y) - len(y) % stretch
    rows = y[:whole].reshape(-1, stretch)
    starts = np.arange(0, whole, stretch)
    extremes = [starts + rows.argmin(axis=1), starts + rows.argmax(axis=1)]
    ends = [[0], np.arange(whole, len(y)), [len(y) - 1]]
    kept = np.unique(np.concatenate([*extremes, *ends]))
    return [x[kept], y[kept]]
