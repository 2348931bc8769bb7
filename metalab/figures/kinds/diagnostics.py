"""Diagnostics over training: one small panel for each quantity."""

from collections.abc import Collection
from typing import Any

import numpy as np

from metalab.engine.diagnostics import (
    LAYER_PREFIX,
    STABILITY,
    DiagnosticPanel,
    diagnostic_panels,
)
from metalab.engine.events import MetricInfo
from metalab.figures.axes import whole_ticks
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    Call,
    Drawing,
    number_of,
    panel_grid,
    ramp,
)
from metalab.figures.errors import FigureError
from metalab.figures.legend import legend_lines, text_ems, with_legend
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.runs.record.history import RunHistory

_LAYERS = (VERMILION, GREEN, BLACK, GREY)
_MARKERS = ("o", "s", "^", "D", "v")
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
_PANEL_LINES, _LEGEND_LINE, _AXIS_LINES, _TITLE_LINES = 3.9, 1.1, 3.0, 1.6
"""Heights of a panel, a line of the legend, the axis below and the title of a slide, in
heights of the text."""

_MOST_MORE = 2
"""Columns beyond those that are comfortable."""

_TITLE_SHARE = 0.68
"""Of the width of a panel, numbers of its axis included, that a title may take."""

_MOST_MARKERS = 6


def _panels(history: RunHistory) -> tuple[DiagnosticPanel, ...]:
    """Return the panels: one for each quantity that was ever a number.

    Raises:
        FigureError: There is none.
    """
    known = history.diagnostics.known
    if not known:
        raise FigureError(
            "figure 'diagnostics' needs diagnostics; this run has none yet "
            "(diagnostics.every says after how many outer steps to measure)"
        )
    return diagnostic_panels(known, history.config_at().loss_words)


def _table(history: RunHistory, panels: tuple[DiagnosticPanel, ...]) -> Table:
    series = history.diagnostics
    lines = [
        Column(line.name, series.values[line.name], line.unit_in(panel.words))
        for panel in panels
        for line in panel.lines
    ]
    return Table((Column("outer_step", series.steps), *lines))


def _draw(history: RunHistory, choices: FigureChoices, size: FigureSize) -> Drawing:
    panels = _panels(history)
    table = _table(history, panels)
    columns = _columns(panels, choices, size)
    title = _title_text(panels, columns, size)
    calls = [
        *whole_ticks("x", of="ax1", nbins=4),
        *(
            call
            for number, panel in enumerate(panels, start=1)
            for call in _panel(f"ax{number}", panel, len(table), size, title)
        ),
        *_shared_axis(len(panels), columns, size),
    ]
    return Drawing(
        table=table,
        caption=_caption(history),
        panels=len(panels),
        columns=columns,
        no_room=_no_room(len(panels), columns, size),
        calls=with_legend(calls, choices, size, title=f"Diagnostics: {history.name}"),
    )


def _columns(
    panels: tuple[DiagnosticPanel, ...], choices: FigureChoices, size: FigureSize
) -> int:
    """Return how many panels stand beside each other.

    As many as are comfortable, and more where legend and rows have no room otherwise.
    """
    rows, _ = panel_grid(len(panels), size)
    names = [
        line.label for panel in panels for line in panel.lines if _is_named(panel, line)
    ]
    lines = legend_lines(names, size) if choices.legend == "above" else 0
    height = size.points * size.height / size.width / size.text
    room = height - _LEGEND_LINE * lines - _AXIS_LINES
    if size.titled:
        room -= _TITLE_LINES
    return -(-len(panels) // max(1, min(rows, int(room / _PANEL_LINES))))


def _no_room(count: int, columns: int, size: FigureSize) -> str:
    """Return why panels would be too narrow to be read; "" where they are not."""
    if columns <= size.panel_columns + _MOST_MORE:
        return ""
    return (
        f"there is no room for {count} diagnostics and their legend at a width of "
        f"{size.width:g} mm: choose size double, or legend none"
    )


def _is_named(panel: DiagnosticPanel, line: MetricInfo) -> bool:
    return len(panel.lines) > 1 or line.name.startswith(LAYER_PREFIX)


def _title_text(
    panels: tuple[DiagnosticPanel, ...], columns: int, size: FigureSize
) -> float:
    """Return the size of the panels' titles: a wide one would squeeze its axes."""
    widest = max(text_ems(panel.label) for panel in panels)
    return min(size.small_text, _TITLE_SHARE * size.points / columns / widest)


def _panel(
    axes: str, panel: DiagnosticPanel, count: int, size: FigureSize, text: float
) -> list[Call]:
    title = {"fontsize": text, "loc": "left", "pad": 0.4 * size.text}
    return [
        *(_line(axes, panel, place, count, size) for place in range(len(panel.lines))),
        Call(method=f"{axes}.set_title", arguments=(panel.label,), options=title),
        Call(method=f"{axes}.locator_params", options={"axis": "y", "nbins": 3}),
        # Else the markers of the extremes are cut by the edge.
        Call(method=f"{axes}.margins", options={"y": 0.15}),
    ]


def _line(
    axes: str, panel: DiagnosticPanel, place: int, count: int, size: FigureSize
) -> Call:
    info = panel.lines[place]
    options: dict[str, Any] = {
        "color": BLUE,
        "linewidth": 1.2 * size.line,
        "marker": _MARKERS[place % len(_MARKERS)],
        "markevery": 1 + count // _MOST_MARKERS,
    }
    if _is_named(panel, info):
        colours = _LAYERS if info.name.startswith(LAYER_PREFIX) else ramp(2)
        options["color"] = colours[place % len(colours)]
        options["linestyle"] = _DASHES[place % len(_DASHES)]
        options["label"] = info.label
    return Call(
        method=f"{axes}.plot", columns=("outer_step", info.name), options=options
    )


def _shared_axis(count: int, columns: int, size: FigureSize) -> list[Call]:
    """Return the calls for the axis below all panels, and for places without a panel."""
    rows = -(-count // columns)
    calls = [
        Call(
            method="fig.supxlabel",
            arguments=("Outer step",),
            options={"fontsize": size.text},
        )
    ]
    for place in range(count, rows * columns):
        above = place + 1 - columns
        calls += [
            Call(method=f"ax{place + 1}.set_visible", arguments=(False,)),
            Call(method=f"ax{above}.tick_params", options={"labelbottom": True}),
        ]
    return calls


def _caption(history: RunHistory) -> str:
    config, known = history.config_at(), set(history.diagnostics.known)
    stability = {info.name for info in STABILITY}
    tasks = number_of(config.outer.num_tasks, "training task")
    parts = (
        (known - stability, f"on the {tasks} of a meta-batch before"),
        (known & stability, "(inner steps) on held-out tasks after"),
    )
    told = [f"{where} {_when(history, names)}" for names, where in parts if names]
    return (
        f"Diagnostics of {history.name}, measured {', and '.join(told)}; adaptation takes "
        f"K = {history.num_inner_steps}."
    )


def _when(history: RunHistory, names: Collection[str]) -> str:
    """Return at which outer steps some diagnostics were measured, in words."""
    steps = np.unique(
        np.concatenate([history.diagnostics.of(name).steps for name in names])
    )
    return (
        f"{number_of(len(steps), 'outer step')} from {int(steps[0]):,} to "
        f"{int(steps[-1]):,}"
    )


FIGURE = FigureSpec(
    name="diagnostics",
    title="Diagnostics",
    heeds=frozenset({"legend"}),
    draw=_draw,
    over_training=True,
)
