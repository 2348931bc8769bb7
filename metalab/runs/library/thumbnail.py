"""Thumbnails of the adaptation of runs: one held-out task before and after, as arrays."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from metalab.core.errors import UserError
from metalab.engine.events import Array
from metalab.runs.record.file_format import RunFileError, packed, unpacked
from metalab.runs.record.reader import open_run
from metalab.runs.services.snapshots import with_curves

MOST_PLACES = 40
"""Points of a curve."""

_NAMES = {"x", "before", "after", "support_x", "support_y"}
NOTHING = b""
"""Of a run that has no curves: not begun, unreadable, or of several inputs or outputs."""


def made_thumbnail(path: Path) -> bytes:
    """Return the picture of a run's newest state as packed arrays; `NOTHING` for none.

    Thread: any but the window's: the task is adapted to anew.
    """
    try:
        run = open_run(path)
        history = with_curves(run)
    except (UserError, MemoryError, ArithmeticError):
        return NOTHING
    tasks, curves = history.held_out_tasks, history.curves
    if tasks is None or curves is None or not len(curves.curves):
        return NOTHING
    if tasks.support.x.shape[2] != 1 or tasks.support.y.shape[2] != 1:
        return NOTHING
    places = np.unique(
        np.linspace(0, len(tasks.grid) - 1, MOST_PLACES).round().astype(int)
    )
    support_x, support_y = tasks.support.plotted(0)
    known = np.isfinite(support_x) & np.isfinite(support_y)
    arrays = {
        "x": tasks.grid[places],
        "before": curves.curves[0, 0, places],
        "after": curves.curves[0, history.num_inner_steps, places],
        "support_x": support_x[known],
        "support_y": support_y[known],
    }
    if tasks.true_curves is not None:
        arrays["truth"] = tasks.true_curves[0, places]
    small = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    if not all(np.isfinite(array).all() for array in small.values()):
        return NOTHING
    return packed(small)


def thumbnail_arrays(data: bytes | None) -> Mapping[str, Array] | None:
    """Return the arrays of a thumbnail; None where it is none."""
    if not data:
        return None
    try:
        arrays = unpacked(data)
    except RunFileError:
        return None
    if not _NAMES <= set(arrays) <= _NAMES | {"truth"}:
        return None
    lines = [arrays[name] for name in ("x", "before", "after")]
    lines += [arrays["truth"]] if "truth" in arrays else []
    same = {line.shape for line in lines}
    fits = len(same) == 1 and len(same.pop()) == 1
    points = arrays["support_x"].shape == arrays["support_y"].shape
    finite = all(np.isfinite(array).all() for array in arrays.values())
    return arrays if fits and points and finite and len(arrays["x"]) > 1 else None
