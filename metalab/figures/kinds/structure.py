"""The page Structure: the bilevel problem as a picture, with numbers of an outer step."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import BLUE, GREEN, GREY, VERMILION, Call, Drawing, tint
from metalab.figures.legend import legend_place, text_ems, with_legend
from metalab.figures.sights import StructureSight
from metalab.figures.sizes import FigureSize
from metalab.figures.structure.layout import (
    FRAMES,
    STACK,
    Box,
    DiagramLayout,
    Point,
    Points,
    diagram_layout,
)
from metalab.figures.structure.model import Arrow, Flow, PartKey, PartText, TextLine
from metalab.figures.structure.sentences import route_sentence
from metalab.figures.structure.words import part_texts
from metalab.figures.table import Column, Table

_BACK_COLOUR, _TEXT, _EDGE = "#e69f00", "#1a1a1a", "#9a9a9a"
_FLOWS: Mapping[Flow, tuple[str, str]] = {
    Flow.DATA: (VERMILION, "Support set"),
    Flow.FORWARD: ("#4d4d4d", "Inner parameters"),
    Flow.LEARNED: (BLUE, "Meta-learned"),
    Flow.BACK: (_BACK_COLOUR, "Hypergradient"),
}
_POINTS = {PartKey.SUPPORT: VERMILION, PartKey.QUERY: GREEN, PartKey.LOSS: GREEN}
_RETURN = (PartKey.SOLVE, PartKey.HYPERGRADIENT, PartKey.UPDATE)

_LINE = 1.25
"""Height of a line of text, in heights of its letters."""

_LINES_ACROSS, _LINES_DOWN = 47.0, 24.0
"""Lines for which the picture has room at the size of the text."""

_LEAST_POINTS = 4.5
"""The smallest text: below, nobody reads it on paper."""

_TINIEST = 2.5
"""No smaller one is asked for: at 30 dots per inch it would be less than a dot."""

_LEGEND_LINES = 3.2
_ROOM = 0.7
"""Of the width, for the picture beside a legend."""

_SMALL, _BOLD = 0.9, 1.12
"""Of small text, its size; of bold text, its width: relative to ordinary text."""

_ROUND, _CORNER_POINTS = 0.35, 5
_HEAD = 0.6
_PIECES = re.compile(r"([_^])(\{[^}]*\}|[^\s_^])")


def _table(texts: Mapping[PartKey, PartText]) -> Table:
    rows = [
        (key.value, text.title, line.label, line.value)
        for key, text in texts.items()
        for line in (TextLine("", text.value), *text.lines)
        if line.text.strip()
    ]
    names = ("part", "title", "label", "value")
    return Table(
        tuple(
            Column(name, np.array([row[index] for row in rows]))
            for index, name in enumerate(names)
        )
    )


def _draw(sight: StructureSight, choices: FigureChoices, size: FigureSize) -> Drawing:
    texts = part_texts(sight.structure, sight.numbers)
    page = _Page(sight, texts, choices, size)
    of = f" of {sight.title}" if sight.title else ""
    title = f"Structure{of}: {sight.history.name}"
    calls = [
        *page.calls(),
        Call(method="ax.set_xlim", arguments=(0, page.width)),
        Call(method="ax.set_ylim", arguments=(page.height, 0)),
        Call(method="ax.set_axis_off"),
    ]
    return Drawing(
        table=_table(texts),
        caption=_caption(sight),
        calls=with_legend(calls, choices, size, title=title, room=_ROOM),
    )


class _Page:
    """One picture at one size. Lengths are in points of the paper."""

    def __init__(
        self,
        sight: StructureSight,
        texts: Mapping[PartKey, PartText],
        choices: FigureChoices,
        size: FigureSize,
    ) -> None:
        """Lay everything out."""
        self._structure = sight.structure
        self._texts = texts
        self._size = size
        margin = 2 * 0.3 * size.text
        names = [name for _, name in _FLOWS.values()]
        place = legend_place(names, choices, size, room=_ROOM)
        taken = _LEGEND_LINES * size.small_text if place == "above" else 0.0
        taken += 1.6 * size.title_text if size.titled else 0.0
        beside = 13 * size.small_text if place == "right" else 0.0
        self.width = size.points - margin - beside
        self.height = size.points * size.height / size.width - margin - taken
        room = min(self.width / _LINES_ACROSS, self.height / _LINES_DOWN) / _LINE
        self._text = max(min(size.small_text, room), _LEAST_POINTS)
        self._line = _LINE * self._text
        area = Box(1, 1, self.width - 2, self.height - 2)
        self._layout: DiagramLayout = diagram_layout(area, self._line, frozenset(texts))

    def calls(self) -> list[Call]:
        """Return the calls for frames, arrows and boxes, from below to above."""
        arrows = [
            call
            for flow, arrow in self._first_of_flow()
            for call in self._arrow(arrow, label=flow)
        ]
        again = self._structure.settings.num_inner_steps > 1
        if again and not self._structure.solved:
            colour = _FLOWS[Flow.FORWARD][0]
            arrows += self._line_with_head(self._layout.again(), colour, 1.0)
        return [
            *(call for key in FRAMES for call in self._frame(key)),
            *arrows,
            *(
                call
                for key in self._texts
                if key not in FRAMES
                for call in self._box(key)
            ),
        ]

    def _first_of_flow(self) -> list[tuple[str, Arrow]]:
        """Return the arrows; the first of each flow with its name, for the legend."""
        named: set[Flow] = set()
        found: list[tuple[str, Arrow]] = []
        for arrow in self._structure.arrows:
            is_points = arrow.flow is not Flow.DATA or arrow.source in _POINTS
            first = arrow.flow not in named and is_points
            found.append((_FLOWS[arrow.flow][1] if first else "", arrow))
            if first:
                named.add(arrow.flow)
        return found

    # Frames and boxes

    def _frame(self, key: PartKey) -> list[Call]:
        place, text = self._layout.places[key], self._texts[key]
        depth = FRAMES.index(key)
        ground = ("#f6f6f6", "#ffffff", "#f6f6f6")[depth]
        z = 1 + 0.1 * depth
        calls: list[Call] = []
        if key is PartKey.BATCH and self._structure.settings.num_tasks > 1:
            for behind in (2, 1):
                moved = behind * STACK * 0.6
                shifted = place.adjusted(moved, moved, moved, moved)
                calls.append(self._panel(shifted, _EDGE, ground, 0.5, z))
        calls.append(self._panel(place, _EDGE, ground, 0.5, z))
        title = self._layout.title_of(key)
        taken = self._bold_width(text.title) + self._line
        right = key is PartKey.OUTER_LOOP
        at = title.right if right else title.left + taken
        calls.append(
            self._words(Point(title.left, title.middle.y), text.title, bold=True)
        )
        if self._width_of(text.value) + taken <= title.width:
            side = "right" if right else "left"
            calls.append(
                self._words(Point(at, title.middle.y), text.value, ha=side, colour=GREY)
            )
        return calls

    def _box(self, key: PartKey) -> list[Call]:
        place = self._layout.places[key]
        idle = key in self._structure.idle
        learned = key in self._structure.learned
        edge = BLUE if learned else _POINTS.get(key, _EDGE)
        if key in _RETURN:
            edge = _BACK_COLOUR
        ground = "#ffffff" if idle or edge == _EDGE else tint(edge, 0.1)
        return [
            self._panel(
                place,
                GREY if idle else edge,
                ground,
                1.2 if learned else 0.8,
                4,
                dashed=idle,
            ),
            *self._rows(place, self._texts[key], muted=idle),
        ]

    def _panel(
        self,
        place: Box,
        edge: str,
        ground: str,
        width: float,
        z: float,
        *,
        dashed: bool = False,
    ) -> Call:
        xs, ys = _rounded(place, min(_ROUND * self._line, place.height / 3))
        options: dict[str, Any] = {
            "facecolor": ground,
            "edgecolor": edge,
            "linewidth": width * self._size.line,
            "zorder": z,
        }
        if dashed:
            options["linestyle"] = (0, (3, 2))
        return Call(method="ax.fill", arguments=(xs, ys), options=options)

    def _rows(self, place: Box, text: PartText, *, muted: bool) -> list[Call]:
        """Return the calls for the lines of a box that there is room for."""
        room = place.width - 0.6 * self._line
        rows: list[tuple[str, bool, float]] = []
        title = self._fitted(text.title, room)
        rows.append((title[0], True, title[1]))
        entries = [text.value] if text.value else []
        entries += [line.text for line in text.lines]
        for index, entry in enumerate(entries):
            scale = 1.0 if index == 0 and text.value else _SMALL
            words, fits = self._fitted(entry, room, scale=scale)
            if fits:
                rows.append((words, False, fits))
        most = max(1, int((place.height - 0.3 * self._line) / self._line))
        rows = rows[:most]
        y = place.middle.y - (len(rows) - 1) * self._line / 2
        calls: list[Call] = []
        for words, bold, scale in rows:
            colour = GREY if muted or not bold else _TEXT
            calls.append(
                self._words(
                    Point(place.middle.x, y),
                    words,
                    bold=bold,
                    ha="center",
                    scale=scale,
                    colour=_TEXT if words == text.value and not muted else colour,
                )
            )
            y += self._line
        return calls

    def _fitted(
        self, words: str, room: float, *, scale: float = 1.0
    ) -> tuple[str, float]:
        """Return words and their scale: smaller where they are too wide, 0 for not at all.

        A title always stays.
        """
        is_title = scale == 1.0
        width = scale * (self._bold_width(words) if is_title else self._width_of(words))
        if width <= room:
            return words, scale
        least = _LEAST_POINTS / self._text
        fitted = scale * room / width
        if fitted >= min(least, 0.75):
            return words, fitted
        return (words, fitted) if is_title and fitted > 0.5 else (words, 0.0)

    # Arrows

    def _arrow(self, arrow: Arrow, *, label: str) -> list[Call]:
        colour = _FLOWS[arrow.flow][0]
        if arrow.flow is Flow.DATA:
            colour = _POINTS.get(arrow.source, GREY)
        idle = self._structure.idle
        is_idle = arrow.flow is not Flow.BACK and (
            arrow.source in idle or arrow.target in idle
        )
        return self._line_with_head(
            self._layout.points(arrow),
            tint(GREY, 0.5) if is_idle else colour,
            1.5 if arrow.flow is Flow.BACK else 1.0,
            dashed=arrow.straight or is_idle,
            label=label,
        )

    def _line_with_head(
        self,
        points: Points,
        colour: str,
        width: float,
        *,
        dashed: bool = False,
        label: str = "",
    ) -> list[Call]:
        end, before = points[-1], points[-2]
        length = math.hypot(end.x - before.x, end.y - before.y) or 1.0
        along = Point((end.x - before.x) / length, (end.y - before.y) / length)
        head = min(_HEAD * self._line, 0.8 * length)
        neck = Point(end.x - along.x * head, end.y - along.y * head)
        wing = Point(-along.y * head * 0.45, along.x * head * 0.45)
        path = [*points[:-1], neck]
        options: dict[str, Any] = {
            "color": colour,
            "linewidth": width * self._size.line,
            "solid_capstyle": "butt",
            "zorder": 3,
        }
        if dashed:
            options["linestyle"] = (0, (2.5, 1.6))
        if label:
            options["label"] = label
        tip = (end, Point(neck.x + wing.x, neck.y + wing.y))
        corners = [*tip, Point(neck.x - wing.x, neck.y - wing.y)]
        return [
            Call(
                method="ax.plot",
                arguments=([p.x for p in path], [p.y for p in path]),
                options=options,
            ),
            Call(
                method="ax.fill",
                arguments=([p.x for p in corners], [p.y for p in corners]),
                options={"facecolor": colour, "linewidth": 0, "zorder": 3},
            ),
        ]

    # Text

    def _width_of(self, words: str) -> float:
        return self._text * text_ems(_plain(words))

    def _bold_width(self, words: str) -> float:
        return _BOLD * self._width_of(words)

    def _words(
        self,
        at: Point,
        words: str,
        *,
        bold: bool = False,
        ha: str = "left",
        scale: float = 1.0,
        colour: str = _TEXT,
    ) -> Call:
        return Call(
            method="ax.text",
            arguments=(*at, _marked_up(words)),
            options={
                "fontsize": max(scale * self._text, _TINIEST),
                "fontweight": "bold" if bold else "normal",
                "color": colour,
                "ha": ha,
                "va": "center_baseline",
                "zorder": 5,
            },
        )


def _rounded(place: Box, radius: float) -> tuple[list[float], list[float]]:
    """Return the outline of a rectangle with round corners."""
    corners = (
        (place.right - radius, place.top + radius, -90),
        (place.right - radius, place.bottom - radius, 0),
        (place.left + radius, place.bottom - radius, 90),
        (place.left + radius, place.top + radius, 180),
    )
    xs, ys = [], []
    for x, y, begin in corners:
        for angle in np.radians(np.linspace(begin, begin + 90, _CORNER_POINTS)):
            xs.append(round(x + radius * math.cos(angle), 3))
            ys.append(round(y + radius * math.sin(angle), 3))
    return xs, ys


def _plain(words: str) -> str:
    """Return words without the marks of lowered and raised signs."""
    return _PIECES.sub(_sign, words)


def _sign(match: "re.Match[str]") -> str:
    return match[2].strip("{}")


def _marked_up(words: str) -> str:
    """Return words with lowered and raised signs as matplotlib has them.

    Each piece is a formula of ordinary letters of the figure's own font.
    """
    words = words.replace("$", r"\$")
    return _PIECES.sub(_formula, words)


def _formula(match: "re.Match[str]") -> str:
    sign = match[2].strip("{}").replace("−", "-")
    return rf"$\mathdefault{{{{}}}}{match[1]}{{\mathdefault{{{sign}}}}}$"


def _caption(sight: StructureSight) -> str:
    step = (
        f"numbers of outer step {sight.numbers.step:,}"
        if sight.numbers.step
        else "without the numbers of a step"
    )
    name = sight.title or sight.history.name
    return f"Structure of {name}, {step}. {route_sentence(sight.structure)}"


FIGURE = FigureSpec(
    name="structure",
    title="Structure of the bilevel problem",
    heeds=frozenset({"legend"}),
    draw=_draw,
    page="structure",
    sight=StructureSight,
)
