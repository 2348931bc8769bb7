"""The page Landscape: losses over a plane through the meta-parameters, paths over it."""

import math
from typing import Any

import numpy as np

from metalab.analysis.landscape_request import Landscape
from metalab.engine.events import Array, names_of
from metalab.experiment.loss_words import with_unit
from metalab.figures.axes import for_losses, labels
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import BLACK, VERMILION, Call, Drawing, number_of, spread
from metalab.figures.errors import FigureError
from metalab.figures.legend import with_legend
from metalab.figures.sights import LandscapeSight
from metalab.figures.sizes import FigureSize
from metalab.figures.table import Column, Table
from metalab.figures.variance import explained_words

_LOSS, _INNER, _OUTER = "loss", "inner path", "outer path"
_NUM_COLOURS = 48
"""Steps of the colours: few enough for a small file, too many to be told apart."""

_LINE_EVERY = 4
"""Steps of colour between lines of equal loss."""

_NUM_NUMBERS, _LEAST_APART, _NUMBER_SIZE = 6, 0.06, 0.85
"""Of inner steps along a path: how many at most, how far apart of the square's side, and
their size in small text."""

_NUMBER_APART = 1.1
"""From an inner step to the middle of its number, in small text."""

_STRAIGHT = 0.3
"""Length of the mean of two directions below which a path goes straight on."""

_ROOM = 0.7
"""Of the width, for axes and colour key beside a legend."""

_SMALLEST = 1e-12
"""The lowest loss on logarithmic colours: a loss of zero has no logarithm."""

_VIRIDIS = (
    "440154 470d60 48186a 482374 472d7b 453681 424086 3f4989 3b528b 375a8d 33638d "
    "2f6a8e 2c728e 297a8e 26818e 23898e 21908c 1f988b 1f9f88 21a685 28ae80 31b57b "
    "3ebc74 4cc26c 5dc963 6ece58 82d34c 96d83f abdc32 c0df24 d5e21a eae51a fde725"
)
"""In 33 evenly spaced colours; Smith and van der Walt 2015."""

_NAMES = {
    "support": "Support loss",
    "query": "Query loss",
    "adapted": "Query loss after adaptation",
}


def _table(landscape: Landscape, *, log: bool) -> Table:
    plane, asked = landscape.plane, landscape.asked
    u, v = np.meshgrid(*plane.coordinates(landscape.per_side))
    losses = landscape.losses.ravel()
    blocks: list[tuple[str, Array, Array, Array, Array]] = [
        (_LOSS, _nan(u.size), _nan(u.size), u.ravel(), v.ravel())
    ]
    for task, path in zip(asked.tasks, plane.paths, strict=True):
        number = np.full(len(path), task + 1.0)
        blocks.append((_INNER, number, np.arange(len(path), dtype=float), *path.T))
    if asked.surface == "adapted":
        count = len(plane.outer_path)
        blocks.append((_OUTER, _nan(count), _nan(count), *plane.outer_path.T))
    lengths = [len(block[1]) for block in blocks]
    task, step, x, y = (
        np.concatenate([block[i] for block in blocks]) for i in range(1, 5)
    )
    rest, unit = _nan(sum(lengths) - u.size), _unit(landscape)
    return Table(
        (
            Column("part", np.repeat([block[0] for block in blocks], lengths)),
            Column("task", task),
            Column("inner_step", step),
            Column("u", x),
            Column("v", y),
            Column("loss", np.concatenate([losses, rest]), unit),
            Column(
                "loss_drawn", np.concatenate([_drawable(losses, log=log), rest]), unit
            ),
        )
    )


def _unit(landscape: Landscape) -> str:
    """Return the unit of the loss that is the surface."""
    words = landscape.asked.config.loss_words
    return words.unit("support" if landscape.asked.surface == "support" else "query")


def _nan(count: int) -> Array:
    return np.full(count, np.nan)


def _drawable(losses: Array, *, log: bool) -> Array:
    """Return losses as colours can show them.

    What is not finite comes far above the others: beyond all colours, it stays white.
    """
    known = np.isfinite(losses)
    top = 10 * float(np.abs(losses[known]).max(initial=0.1))
    drawn = np.where(known, losses, top)
    return np.maximum(drawn, _SMALLEST) if log else drawn


def _levels(landscape: Landscape, *, log: bool) -> list[float]:
    """Return the losses at which colours change, ascending.

    Raises:
        FigureError: No loss is finite.
    """
    losses = landscape.losses[np.isfinite(landscape.losses)]
    if len(losses) == 0:
        raise FigureError("no loss of this landscape is a finite number")
    low, high = float(losses.min()), float(losses.max())
    if log:
        low, high = max(low, _SMALLEST), max(high, _SMALLEST)
    if high - low <= 1e-9 * abs(high):
        # A flat landscape has one colour, and still two ends.
        low, high = low * (1 - 1e-6) - 1e-15, high * (1 + 1e-6) + 1e-15
    if log:
        levels = np.geomspace(low, high, _NUM_COLOURS + 1)
    else:
        levels = np.linspace(low, high, _NUM_COLOURS + 1)
    # The ends themselves are drawn too.
    levels[0] -= 1e-9 * abs(levels[0])
    levels[-1] += 1e-9 * abs(levels[-1])
    return levels.tolist()


def _colours() -> list[str]:
    stops = np.array([list(bytes.fromhex(code)) for code in _VIRIDIS.split()])
    places = np.linspace(0, len(stops) - 1, _NUM_COLOURS)
    channels = [np.interp(places, range(len(stops)), stops[:, i]) for i in range(3)]
    mixed = np.stack(channels, axis=1).round().astype(int)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.tolist()]


def _draw(sight: LandscapeSight, choices: FigureChoices, size: FigureSize) -> Drawing:
    landscape = sight.landscape
    choices = for_losses(choices, landscape.asked.config.loss_words)
    levels, colours = _levels(landscape, log=choices.log_y), _colours()
    calls = [
        *_heat(levels, colours, size),
        *_paths(sight, size),
        *_step_numbers(landscape, size),
        *_outer_path(landscape, size),
        _explained(sight, size),
        *_key(landscape, levels, colours, log=choices.log_y),
        *labels("Direction u", "Direction v"),
        *_square(landscape),
    ]
    title = f"Landscape: {sight.history.name}"
    return Drawing(
        table=_table(landscape, log=choices.log_y),
        keyed=True,
        square=True,
        caption=_caption(sight),
        calls=with_legend(calls, choices, size, title=title, room=_ROOM),
    )


def _heat(levels: list[float], colours: list[str], size: FigureSize) -> list[Call]:
    columns, where = ("u", "v", "loss_drawn"), {"part": _LOSS}
    thin = 0.5 * size.line
    return [
        # Lines of the fill's own colours: else viewers show white seams between fills.
        Call(
            method="ax.tricontour",
            columns=columns,
            where=where,
            options={
                "levels": levels[1:-1],
                "colors": colours[1:],
                "linewidths": thin,
                "zorder": 1,
            },
        ),
        Call(
            method="ax.tricontourf",
            columns=columns,
            where=where,
            options={"levels": levels, "colors": colours, "zorder": 1},
        ),
        Call(
            method="ax.tricontour",
            columns=columns,
            where=where,
            options={
                "levels": levels[_LINE_EVERY:-1:_LINE_EVERY],
                "colors": "white",
                "alpha": 0.35,
                "linewidths": thin,
                "zorder": 2,
            },
        ),
    ]


def _paths(sight: LandscapeSight, size: FigureSize) -> list[Call]:
    """Return the calls for the inner paths, the first task's on top."""
    asked = sight.landscape.asked
    calls: list[Call] = []
    for index, task in reversed(list(enumerate(asked.tasks))):
        strong = index == 0
        width = (1.5 if strong else 0.9) * size.line
        where = {"part": _INNER, "task": task + 1}
        line: dict[str, Any] = {"linewidth": width + 1.2 * size.line, "color": "white"}
        calls += [
            _path(where, {**line, "zorder": 3}),
            _path(
                where,
                {
                    "color": BLACK,
                    "linewidth": width,
                    "marker": "o",
                    "markersize": (2.4 if strong else 1.6) * size.line,
                    "markeredgewidth": 0,
                    "zorder": 4,
                    **({"label": _path_label(sight)} if strong else {}),
                },
            ),
        ]
        step = min(sight.inner_step, asked.num_inner_steps)
        dot = {
            "color": "white",
            "linestyle": "none",
            "marker": "o",
            "markersize": (4.2 if strong else 3.0) * size.line,
            "markeredgecolor": BLACK,
            "markeredgewidth": 0.8 * size.line,
            "zorder": 6,
            **({"label": f"Inner step {step}"} if strong else {}),
        }
        calls.append(_path({**where, "inner_step": step}, dot))
    start = {
        "color": "white",
        "linestyle": "none",
        "marker": "P",
        "markersize": 5 * size.line,
        "markeredgecolor": BLACK,
        "markeredgewidth": 0.7 * size.line,
        "label": "Start",
        "zorder": 7,
    }
    where = {"part": _INNER, "task": asked.tasks[0] + 1, "inner_step": 0}
    return [*calls, _path(where, start)]


def _step_numbers(landscape: Landscape, size: FigureSize) -> list[Call]:
    """Return the calls for numbers at some inner steps of the first task's path."""
    path = landscape.plane.paths[0]
    apart = _LEAST_APART * landscape.plane.side
    calls: list[Call] = []
    # The last one first: of steps that lie together it is told.
    kept = [path[0]]
    for step in reversed(spread(len(path) - 1, _NUM_NUMBERS)):
        if any(math.hypot(*(path[step] - place)) < apart for place in kept):
            continue
        kept.append(path[step])
        across, up = _beside(path, step)
        reach = _NUMBER_APART * size.small_text
        options = {
            "xytext": (reach * across, reach * up),
            "textcoords": "offset points",
            "ha": "center",
            "va": "center",
            "fontsize": _NUMBER_SIZE * size.small_text,
            "color": "white",
            "annotation_clip": True,
            "bbox": {"boxstyle": "round,pad=0.12", "fc": "#00000099", "ec": "none"},
            "zorder": 8,
        }
        at = (float(path[step][0]), float(path[step][1]))
        calls.append(
            Call(method="ax.annotate", arguments=(str(step), at), options=options)
        )
    return calls


def _beside(path: Array, step: int) -> tuple[float, float]:
    """Return the direction from a point of a path to where nothing of it lies.

    Against the mean direction to its neighbours; across the path where that is straight.
    """
    ways = [
        (path[other] - path[step]) / length
        for other in (step - 1, step + 1)
        if 0 <= other < len(path)
        and (length := float(np.linalg.norm(path[other] - path[step]))) > 0
    ]
    if not ways:
        return (math.sqrt(0.5), math.sqrt(0.5))
    mean = np.sum(ways, axis=0)
    if len(ways) == 1 or np.linalg.norm(mean) < _STRAIGHT:
        # Of the two sides the upper one.
        u, v = map(float, ways[0])
        return (-v, u) if u >= 0 else (v, -u)
    u, v = map(float, -mean / np.linalg.norm(mean))
    return (u, v)


def _explained(sight: LandscapeSight, size: FigureSize) -> Call:
    landscape = sight.landscape
    words = explained_words(landscape).replace(" %", "\N{NO-BREAK SPACE}%")
    task = _called(sight, landscape.asked.tasks[0])
    numbers = f"Numbers: inner steps of {task}"
    options = {"x": 0.5, "ha": "center", "fontsize": 0.9 * size.small_text}
    return Call(
        method="fig.supxlabel",
        arguments=(f"{words[0].upper()}{words[1:]}\n{numbers}",),
        options=options,
    )


def _called(sight: LandscapeSight, task: int) -> str:
    tasks = sight.history.held_out_tasks
    return f"task {task + 1}" if tasks is None else tasks.called(task)


def _names(sight: LandscapeSight) -> list[str]:
    """Return the names of the tasks with paths."""
    return names_of(sight.history.held_out_tasks, sight.landscape.asked.tasks)


def _path_label(sight: LandscapeSight) -> str:
    first = _called(sight, sight.landscape.asked.tasks[0])
    first = f"{first[0].upper()}{first[1:]}"
    others = _names(sight)[1:]
    return f"{first} (thin: {', '.join(others)})" if others else first


def _path(where: dict[str, Any], options: dict[str, Any]) -> Call:
    return Call(method="ax.plot", columns=("u", "v"), where=where, options=options)


def _outer_path(landscape: Landscape, size: FigureSize) -> list[Call]:
    if landscape.asked.surface != "adapted" or len(landscape.plane.outer_path) < 2:
        return []
    where = {"part": _OUTER}
    halo = {"color": "white", "linewidth": 2.8 * size.line, "zorder": 4}
    line = {
        "color": VERMILION,
        "linewidth": 1.5 * size.line,
        "label": "Outer loop",
        "zorder": 5,
    }
    return [_path(where, halo), _path(where, line)]


def _square(landscape: Landscape) -> list[Call]:
    left, bottom = landscape.plane.corner
    side = landscape.plane.side
    return [
        Call(method="ax.set_aspect", arguments=("equal",)),
        Call(method="ax.set_xlim", arguments=(left, left + side)),
        Call(method="ax.set_ylim", arguments=(bottom, bottom + side)),
        Call(method="ax.locator_params", options={"nbins": 5}),
    ]


def _key(
    landscape: Landscape, levels: list[float], colours: list[str], *, log: bool
) -> list[Call]:
    """Return the calls for the colour key, with losses at some of its steps."""
    rows = [row + 0.5 for row in range(len(colours))]
    ticks = _ticks(levels, log=log)
    places = [_place(levels, tick, log=log) for tick in ticks]
    return [
        Call(
            method="key.barh",
            arguments=(rows, 1.0, 1.0),
            options={"color": colours, "linewidth": 0.2, "edgecolor": colours},
        ),
        Call(method="key.set_xlim", arguments=(0, 1)),
        Call(method="key.set_ylim", arguments=(0, len(colours))),
        Call(method="key.set_xticks", arguments=([],)),
        Call(
            method="key.set_yticks",
            arguments=(places,),
            options={"labels": [f"{tick:g}" for tick in ticks]},
        ),
        Call(method="key.yaxis.tick_right"),
        Call(method="key.yaxis.set_label_position", arguments=("right",)),
        Call(method="key.spines[:].set_visible", arguments=(False,)),
        Call(
            method="key.set_ylabel",
            arguments=(with_unit(_NAMES[landscape.asked.surface], _unit(landscape)),),
        ),
    ]


def _ticks(levels: list[float], *, log: bool) -> list[float]:
    """Return a few round losses between the ends of the colours."""
    low, high = levels[0], levels[-1]
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
            found = [
                float(f"{digit}e{decade}")
                for decade in range(first, last + 1)
                for digit in digits
                if low <= float(f"{digit}e{decade}") <= high
            ]
            if len(found) >= 3:
                return found[:: -(-len(found) // 8)]
    step = 10.0 ** math.floor(math.log10((high - low) / 3))
    for factor in (5, 2, 1):
        found = [
            float(f"{number * factor * step:.12g}")
            for number in range(
                math.ceil(low / (factor * step)), math.floor(high / (factor * step)) + 1
            )
        ]
        if len(found) >= 3:
            break
    return found


def _place(levels: list[float], loss: float, *, log: bool) -> float:
    """Return where a loss is in the colour key, counted in colours from below."""
    low, high = levels[0], levels[-1]
    if log:
        share = math.log(loss / low) / math.log(high / low)
    else:
        share = (loss - low) / (high - low)
    return share * (len(levels) - 1)


def _caption(sight: LandscapeSight) -> str:
    landscape = sight.landscape
    asked, plane = landscape.asked, landscape.plane
    name = _NAMES[asked.surface]
    of = (
        f"mean over {number_of(landscape.num_averaged, 'held-out task')}"
        if asked.surface == "adapted"
        else f"of {names_of(sight.history.held_out_tasks, asked.tasks[:1])[0]}"
    )
    known = "" if landscape.finished else f", {100 * landscape.share:.0f} % computed"
    numbers = ", ".join(_names(sight))
    first, second = (100 * share for share in plane.explained)
    return (
        f"{name} {of} over a plane through the meta-parameters of {sight.history.name} "
        f"after {number_of(asked.step, 'outer step')} ({landscape.per_side} × "
        f"{landscape.per_side} points{known}); axes: {asked.axes}. Paths: inner steps 0 to "
        f"{asked.num_inner_steps} of {numbers}, projected; of their squared "
        f"length u holds {first:.3g}\N{NO-BREAK SPACE}% and v "
        f"{second:.3g}\N{NO-BREAK SPACE}%. Small numbers: inner steps of "
        f"{_called(sight, asked.tasks[0])}."
    )


FIGURE = FigureSpec(
    name="landscape",
    title="Loss landscape",
    heeds=frozenset({"log_y", "legend"}),
    of_tasks=True,
    draw=_draw,
    page="landscape",
    sight=LandscapeSight,
    costly=True,
)
